// Pages under the policy that the build computes for them, in Chromium: nothing is violated, and what the policy forbids does not run.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { build, serving } from '../book/programs.mjs';

const PACKAGES = resolve(import.meta.dirname, '../styles/node_modules');

let work;
let browser;

before(async () => {
  work = mkdtempSync(join(tmpdir(), 'ssbuild-policy-'));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

/** Builds and serves an app of these files; what a page of it complains about, its policy, and what `look` sees in it. */
async function visit(name, files, look, env = 'production') {
  const app = join(work, name);
  for (const [file, text] of Object.entries({ 'public/icon.png': '', ...files })) {
    mkdirSync(dirname(join(app, file)), { recursive: true });
    writeFileSync(join(app, file), text);
  }
  symlinkSync(PACKAGES, join(app, 'node_modules'));
  const built = build(app, '--env', env);
  assert.doesNotMatch(built.stderr, /^error/m);
  let seen;
  const complaints = [];
  let policy;
  await serving(join(app, 'dist'), async (address) => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));
    });
    const answer = await page.goto(address);
    policy = answer.headers()['content-security-policy'];
    await page.waitForFunction(() => document.title === 'ready', null, { timeout: 20_000 }).catch(() => {});
    assert.equal(await page.title(), 'ready', complaints.join('\n'));
    seen = await page.evaluate(look);
    assert.deepEqual(await page.evaluate(() => window.violations), [], complaints.join('\n'));
    await page.close();
  });
  assert.deepEqual(complaints, []);
  return { policy, seen, warnings: built.stderr };
}

const head = '<!doctype html><html><head><title>starting</title><link rel="icon" href="/icon.png"><SocketStream></head>';

test('a strict app keeps its policy: styles, fonts, inline scripts and handlers', async () => {
  const { policy, seen } = await visit(
    'strict',
    {
      'app/views/app.html': `${head}<body onload="document.body.dataset.handled = 'yes'"><div id="box"></div><script>window.inline = 'ran';</script></body></html>`,
      'app/views/deep/note.html': '<p>${text}</p>',
      'app/client/app.js':
        "import styles from './box.module.css';\nexport const init = () => {\n  document.getElementById('box').className = styles.box;\n  document.title = 'ready';\n};\n",
      'app/client/box.module.css': '.box { composes: wide; color: rgb(1, 2, 3); background: url(dot.svg) } .wide { width: 77px }',
      'app/client/dot.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'app/css/app.scss': '#box { height: 33px; }',
      'config/app.json': '{ "csp": { "eval": "deny" } }',
    },
    () => {
      const box = getComputedStyle(document.getElementById('box'));
      return {
        style: [box.color, box.width, box.height, box.backgroundImage.includes('/assets/app/client/dot-')],
        inline: window.inline,
        handled: document.body.dataset.handled,
        template: window.SS.templates['deep-note'],
      };
    },
  );
  assert.deepEqual(seen, {
    style: ['rgb(1, 2, 3)', '77px', '33px', true],
    inline: 'ran',
    handled: 'yes',
    template: '<p>${text}</p>',
  });
  assert.match(policy, /script-src 'self' 'sha256-/);
  assert.match(policy, /'unsafe-hashes'/);
  assert.doesNotMatch(policy.match(/script-src[^;]*/)[0], /unsafe-eval|unsafe-inline|\*/);
});

test('jQuery templates work, and cost a warning and `unsafe-eval`', async () => {
  const plugin = readFileSync(join(PACKAGES, 'jquery.tmpl/index.js'), 'utf8').replace(/^jQuery = [^\n]*\n|^module\.exports[^\n]*\n/gm, '');
  const { policy, seen, warnings } = await visit(
    'templates',
    {
      'app/views/app.html': `${head}<body><div id="people"></div></body></html>`,
      'app/views/people/customers/info.html': '<p class="person">${name}{{if age}} is ${age}{{/if}}</p>',
      'lib/client/2.jquery.tmpl.js': plugin,
      'app/client/app.js':
        "exports.init = function () {\n  $('#people-customers-info').tmpl([{ name: '<Ada>', age: 36 }, { name: 'Bo' }]).appendTo('#people');\n  document.title = 'ready';\n};\n",
      'config/app.json': '{ "client": { "libs": ["jquery/dist/jquery.min.js"] } }',
    },
    () => [...document.querySelectorAll('.person')].map((person) => person.textContent),
  );
  assert.deepEqual(seen, ['<Ada> is 36', 'Bo']);
  assert.match(policy.match(/script-src[^;]*/)[0], /'unsafe-eval'/);
  assert.match(warnings, /warning\[csp-eval\]: `lib\/client\/2\.jquery\.tmpl\.js` evaluates text as code/);
});
