// Code that the book shows outside of the tutorial: scripts parse, configuration is known, the templated page renders.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeBlocks, readPages } from './pages.mjs';
import { program } from './programs.mjs';

const BOOK = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'book', 'src');
const work = mkdtempSync(join(tmpdir(), 'ssbuild-blocks-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** Blocks of one language, each with its page; those of the tutorial and of the internals have tests of their own. */
const blocks = (...languages) =>
  [...readPages(BOOK)]
    .filter(([page]) => !/^(tutorial|internals)\//.test(page))
    .flatMap(([page, text]) => codeBlocks(text).map((block) => ({ page, ...block })))
    .filter((block) => languages.includes(block.language));

test('every script parses', () => {
  const scripts = blocks('js', 'ts');
  assert.ok(scripts.length > 10, `${scripts.length} scripts`);
  const name = (n) => `app/shared/block${n}.${scripts[n].language}`;
  const found = check('scripts', Object.fromEntries(scripts.map(({ text }, n) => [name(n), text])));
  const broken = found.filter(({ code }) => code === 'syntax-error').map(({ message, labels: [{ place }] }) => {
    const at = scripts.findIndex((_, n) => place.file === name(n));
    return `${scripts[at].page}: ${message}\n${scripts[at].text}`;
  });
  assert.deepEqual(broken, []);
});

for (const [n, { page, text }] of blocks('json').entries()) {
  test(`the configuration ${n + 1}, of ${page}, is known`, () => {
    const found = check(`config-${n}`, { 'config/app.json': text });
    assert.deepEqual(found.filter(({ code }) => code.startsWith('config-')), []);
  });
}

for (const [n, { page, text }] of blocks('jinja').entries()) {
  test(`the page ${n + 1}, of ${page}, renders`, () => {
    const files = {
      'app/views/app.jinja': text,
      'public/images/logo.png': 'stands for a picture',
      'config/app.json': '{"client": {"title": "A title"}}',
    };
    assert.deepEqual(check(`jinja-${n}`, files), []);
  });
}

/** What `ssbuild check` finds in an app of these files; what every app needs is there unless given. */
function check(name, files) {
  const whole = { 'app/client/app.js': 'exports.init = function () {};\n', ...files };
  if (!files['app/views/app.jinja']) whole['app/views/app.html'] = '<!DOCTYPE html><title>x</title><SocketStream>\n';
  for (const [path, text] of Object.entries(whole)) {
    mkdirSync(dirname(join(work, name, path)), { recursive: true });
    writeFileSync(join(work, name, path), text);
  }
  const run = spawnSync(program('ssbuild'), ['check', join(work, name), '--json'], { encoding: 'utf8' });
  assert.ok(run.status === 0 || run.status === 1, run.stderr);
  return run.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((line) => line.code);
}
