// What a front end of today writes beside scripts: an app of `testdata/apps` for each, which itself compares what it gets. Built in every
// way, and run in Chromium.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { build, serving } from '../book/programs.mjs';

const APPS = resolve(import.meta.dirname, '../../testdata/apps');

/** Environment and minifier. */
const WAYS = [
  ['development', 'off'],
  ['production', 'fast'],
  ['production', 'max'],
];

let work;
let browser;

before(async () => {
  work = mkdtempSync(join(tmpdir(), 'ssbuild-modern-'));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

/** Opens the app until its title says how it went. */
async function passes(address, way) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(address);
  await page.waitForFunction(() => /^(passed|failed)/.test(document.title), null, { timeout: 20_000 }).catch(() => {});
  assert.equal(await page.title(), 'passed', `${way}:\n${complaints.join('\n')}`);
  assert.deepEqual(complaints, [], way);
  await page.close();
}

/** App to its pages. */
const PAGES = { files: [''], workers: [''], waiting: [''], wasm: ['', 'areas'] };

for (const [app, pages] of Object.entries(PAGES)) {
  test(`${app} runs, however it is built`, async () => {
    for (const [env, minify] of WAYS) {
      const folder = join(work, `${app}-${minify}`);
      cpSync(join(APPS, app), folder, { recursive: true });
      writeFileSync(join(folder, 'config/app.toml'), `[build]\nminify = "${minify}"\n[css]\ninline_bytes = 100\n`);
      build(folder, '--env', env);
      await serving(join(folder, 'dist'), async (address) => {
        for (const page of pages) await passes(`${address}/${page}`, `${env}, ${minify}, /${page}`);
      });
    }
  });
}
