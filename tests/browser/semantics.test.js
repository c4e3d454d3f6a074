// What code means: every case logs the same as its source in Node, as a plain build, and as both minified builds in Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { build, serving } from '../book/programs.mjs';
import { readCases, writeCases } from '../semantics/cases.mjs';

const SEMANTICS = resolve(import.meta.dirname, '../semantics');

let work;
let browser;
let cases;
let entries;
let packaged;
let expected;

before(async () => {
  work = mkdtempSync(join(tmpdir(), 'ssbuild-semantics-'));
  cases = readCases();
  entries = writeCases(cases, join(work, 'cases'));
  // As modules of packages they share functions where that is right.
  packaged = writeCases(cases, join(work, 'node_modules/cases'));
  const list = join(work, 'entries.json');
  writeFileSync(list, JSON.stringify(entries));
  const env = { ...process.env, NODE_ENV: 'production' };
  expected = JSON.parse(execFileSync(process.execPath, [join(SEMANTICS, 'node.mjs'), list], { env, encoding: 'utf8' }));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

/** An app whose client runs every case and keeps what each logs. */
function makeApp(minify, entries) {
  const app = mkdtempSync(join(work, `${minify}-`));
  const client = join(app, 'app/client');
  for (const folder of [client, join(app, 'app/views'), join(app, 'config')]) mkdirSync(folder, { recursive: true });
  copyFileSync(join(SEMANTICS, 'record.js'), join(client, 'record.js'));
  const starts = entries.map((entry) => `  () => require(${JSON.stringify(relative(client, entry))}),`);
  writeFileSync(
    join(client, 'app.js'),
    `require('./record');\nconst starts = [\n${starts.join('\n')}\n];\nexports.init = async () => {
  const results = [];
  for (const start of starts) results.push(await recordCase(start));
  globalThis.results = results;\n};\n`,
  );
  writeFileSync(join(app, 'app/views/app.html'), '<!doctype html><html><head><SocketStream></head><body></body></html>');
  writeFileSync(join(app, 'config/app.json'), JSON.stringify({ build: { minify } }));
  return app;
}

test('there are many cases', () => {
  assert.ok(cases.length >= 300, `${cases.length} cases`);
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length, 'two cases have one name');
});

for (const [minify, where] of [['off', 'files'], ['fast', 'files'], ['max', 'files'], ['fast', 'packages']]) {
  test(`cases mean the same as ${where} with minify = ${minify}`, async () => {
    const app = makeApp(minify, where === 'packages' ? packaged : entries);
    build(app, '--env', 'production');
    await serving(join(app, 'dist'), async (address) => {
      const page = await browser.newPage();
      const errors = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      await page.goto(address);
      await page.waitForFunction(() => globalThis.results, null, { timeout: 60_000 }).catch((error) => {
        throw new Error(`${error.message}\nerrors in the page:\n${errors.join('\n')}`);
      });
      const results = await page.evaluate(() => globalThis.results);
      const wrong = cases.flatMap(({ name }, n) => {
        if (results[n] === expected[n] || (minify === 'max' && name.endsWith('(not max)'))) return [];
        return [`${name}\n  in Node:\n${expected[n]}\n  in Chromium:\n${results[n]}`];
      });
      assert.equal(wrong.length, 0, `${wrong.length} cases differ:\n${wrong.join('\n')}`);
      await page.close();
    });
  });
}
