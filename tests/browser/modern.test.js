// What a front end of today writes beside scripts: an app of `testdata/apps` for each, which itself compares what it gets. Built in every
// way, and run in Chromium.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
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

const VIEW = '<!doctype html><html><head><title>starting</title><link rel="icon" href="data:,"><SocketStream></head><body></body></html>';

/** Writes an app of these files. */
function makeApp(name, files) {
  for (const [path, text] of Object.entries({ 'app/views/app.html': VIEW, ...files })) {
    const file = join(work, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return join(work, name);
}

test('packages that wait, or import what does, run beside those that share functions', async () => {
  const order = "globalThis.order ??= []; order.push('";
  const app = makeApp('packages', {
    'app/client/app.js': `
      import { total, name } from 'sums';
      export async function init() {
        const { lazy } = await import('lazy');
        const said = [total(2), name, lazy, order.join()].join(' ');
        document.title = said === '5 settings lazy rates,first,second,sums' ? 'passed' : 'failed ' + said;
      }`,
    'node_modules/sums/package.json': '{"type":"module","main":"index.js"}',
    'node_modules/sums/index.js': `
      import { rate } from './rates.js'; import { first } from './first.js'; import { second } from './second.js'; export { name } from './second.js';
      export const total = (n) => n * rate + first + second - 2; ${order}sums');`,
    'node_modules/sums/rates.js': `export const rate = 2; ${order}rates');`,
    'node_modules/sums/first.js': `export const first = await new Promise((done) => setTimeout(done, 10, 1)); ${order}first');`,
    'node_modules/sums/second.js': `import './first.js'; import { settings } from './settings.js'; export const second = 2; export const { name } = settings; ${order}second');`,
    'node_modules/sums/settings.js': "export const settings = { name: 'settings' };",
    'node_modules/lazy/package.json': '{"module":"index.js"}',
    'node_modules/lazy/index.js': "import { part } from './part.js'; export const lazy = part;",
    'node_modules/lazy/part.js': "export const part = await Promise.resolve('lazy');",
  });
  for (const [env] of WAYS.slice(0, 2)) {
    build(app, '--env', env);
    await serving(join(app, 'dist'), (address) => passes(address, env));
  }
});

test('an app that fails while it is evaluated is one error, and init does not run', async () => {
  for (const [name, broken] of [
    ['at-once', "throw new Error('broken');"],
    ['later', "await null; throw new Error('broken');"],
  ]) {
    const app = makeApp(`broken-${name}`, {
      'app/client/app.js': "import './parts/broken'; export function init() { document.title = 'init ran'; }",
      'app/client/other.js': "document.body.dataset.other = 'evaluated';",
      'app/client/parts/broken.js': broken,
    });
    build(app, '--env', 'production');
    await serving(join(app, 'dist'), async (address) => {
      const page = await browser.newPage();
      const errors = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(address);
      await page.waitForFunction(() => window.SS.started && document.body.dataset.other === 'evaluated');
      await page.waitForTimeout(0);
      assert.equal(await page.title(), 'starting');
      assert.deepEqual(errors, ['broken']);
      await page.close();
    });
  }
});
