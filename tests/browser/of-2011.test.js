// Whole apps in the manner of 2011, from the first (0.0.44) to the last (0.1.8), with the packages of that year: built, served and
// used in Chromium. What they need from npm is in tests/of-2011.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { build, program, serving } from '../book/programs.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGES = join(ROOT, 'tests/of-2011/node_modules');
const PACKAGES_OF_TODAY = join(ROOT, 'tests/preprocess/node_modules');

/** What an app has in `lib/client` beside its own: jQuery and its templates, as one downloaded them, without what npm put around. */
const LIBRARIES = {
  jquery: ['jqueryify/index.js', (text) => text.split('\nmodule.exports')[0]],
  tmpl: ['jquery.tmpl/index.js', (text) => text.split('module.exports = jQuery;')[1]],
  underscore: ['underscore/underscore.js', (text) => text],
  backbone: ['backbone/backbone.js', (text) => text],
};

let work;
let browser;

before(async () => {
  for (const folder of [PACKAGES, PACKAGES_OF_TODAY]) {
    if (!existsSync(folder)) throw new Error(`${folder} is missing: scripts/setup-tests.sh installs it`);
  }
  work = mkdtempSync(join(tmpdir(), 'ssbuild-of-2011-'));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

/** A copy of an app with its libraries. */
function copy(name, libraries, packages = PACKAGES) {
  const app = mkdtempSync(join(work, `${name}-`));
  cpSync(join(ROOT, 'testdata/of-2011', name), app, { recursive: true });
  symlinkSync(packages, join(app, 'node_modules'));
  mkdirSync(join(app, 'lib/client'), { recursive: true });
  for (const [file, library] of Object.entries(libraries)) {
    const [path, cut] = LIBRARIES[library];
    writeFileSync(join(app, 'lib/client', file), cut(readFileSync(join(PACKAGES, path), 'utf8')));
  }
  return app;
}

/** Builds and serves it; `use` gets its address and a function that opens it as somebody new. */
async function stage(name, libraries, use) {
  const app = copy(name, libraries);
  assert.doesNotMatch(build(app).stderr, /^error/m);
  await serving(join(app, 'dist'), async (address) => {
    const complaints = [];
    const person = async () => {
      const page = await (await browser.newContext()).newPage();
      page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
      await page.goto(address);
      return page;
    };
    try {
      await use({ address, person });
      assert.deepEqual(complaints, []);
    } catch (error) {
      throw new Error(`${error.stack}\n${complaints.join('\n')}`, { cause: error });
    }
  });
}

const ready = (page) => page.waitForSelector('body[data-ready]');
const reads = (page, selector, text) => page.waitForFunction(([at, wanted]) => $(at).text() === wanted, [selector, text]);

test('a chat: users online, private channels, disconnects, templates, vendor mixins', async () => {
  await stage('chat', { '1.jquery.min.js': 'jquery', '2.jquery.tmpl.min.js': 'tmpl' }, async ({ person }) => {
    const [ann, ben] = [await person(), await person()];
    for (const [page, name] of [[ann, 'Ann'], [ben, 'Ben']]) {
      await page.fill('#signIn [name=name]', name);
      await page.click('#signIn [type=submit]');
      await ready(page);
    }
    await ann.fill('#myMessage', '<b>hello</b>');
    await ann.press('#myMessage', 'Enter');
    await reads(ben, '#chatlog .text', '<b>hello</b>');
    await reads(ann, '#people', 'AnnBen');
    assert.match(await ann.textContent('#message'), /^Served by \d/);
    assert.equal(await ann.evaluate(() => getComputedStyle(document.querySelector('#content')).borderRadius), '8px');
    await ben.close();
    await reads(ann, '#people', 'Ann');
  });
});

test('a dashboard: nested namespaces, Underscore and Backbone, shared code, its own keys for the browser', async () => {
  const libraries = { '1.jquery.js': 'jquery', '2.jquery.tmpl.js': 'tmpl', '3.underscore.js': 'underscore', '4.backbone.js': 'backbone' };
  await stage('dashboard', libraries, async ({ person }) => {
    const page = await person();
    await ready(page);
    await page.waitForSelector('.metric em');
    assert.deepEqual(await page.evaluate(() => [SS.config.map, window.PLUGIN, typeof window.started]), [{ width: 100, height: 50 }, true, 'object']);
    await page.click('#nav [data-area=cpu] a');
    await reads(page, '#chosen', 'CPU');
    await page.evaluate(() => (location.hash = 'admin/x/y'));
    await reads(page, '#admin', 'admin: x/y');
    await page.click('#metric-cpu .reset');
    await page.waitForSelector('.was-reset');
  });
});

test('a game: JavaScript and CoffeeScript, classes in shared code, an HTML page', async () => {
  await stage('game', { '1.jquery.min.js': 'jquery' }, async ({ person }) => {
    const pages = [await person(), await person()];
    for (const page of pages) await ready(page);
    for (const [who, cell] of [[0, 0], [1, 3], [0, 1], [1, 4], [0, 2]]) {
      await pages[who].click(`[data-cell="${cell}"]`);
      for (const page of pages) await page.waitForSelector(`[data-cell="${cell}"]:not(.empty)`);
    }
    for (const page of pages) await reads(page, '#status', 'x wins');
    assert.equal(await pages[0].title(), 'Noughts & crosses!');
  });
});

test('accounts: a login of its own, guarded actions, the HTTP API with Basic Auth, middleware, vendor, old browsers', async () => {
  await stage('accounts', { '1.jquery.min.js': 'jquery', '2.jquery.tmpl.min.js': 'tmpl' }, async ({ address, person }) => {
    const page = await person();
    await ready(page);
    await page.fill('[name=username]', 'bob');
    await page.fill('[name=password]', 'wrong');
    await page.click('#login [type=submit]');
    await reads(page, '#error', 'who is that?');
    await page.fill('[name=password]', 'secret');
    await page.click('#login [type=submit]');
    await reads(page, '#balance', '$12.50');
    await page.reload();
    await reads(page, '#balance', '$12.50');
    assert.equal(await page.textContent('#accounts'), 'AnnBen');
    await page.click('#logout');
    await page.waitForSelector('#login', { state: 'visible' });
    await page.reload();
    await ready(page);
    assert.equal(await page.isVisible('#login'), true);

    const get = async (path, headers = {}) => {
      const answer = await fetch(address + path, { headers });
      return [answer.status, await answer.text()];
    };
    const basic = (text) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    assert.deepEqual(await get('/api/app/square?25'), [200, '625']);
    assert.equal((await get('/api/admin/accounts/all'))[0], 401);
    assert.equal((await get('/api/admin/accounts/all', basic('bob:no')))[0], 401);
    assert.deepEqual(await get('/api/admin/accounts/balance.json?id=2', basic('bob:secret')), [200, '"$0.99"']);
    assert.deepEqual(await get('/ping?n=3'), [200, 'pong 3']);
    const old = { 'user-agent': 'Mozilla/5.0 (compatible; MSIE 8.0; Windows NT 6.1)' };
    assert.match((await get('/', old))[1], /too old/);
    assert.deepEqual(await get('/app.css', old), [200, 'h1 { color: red }\n']);
  });
});

test('an app of 0.0.44: `window.app`, JSON with the keys of then, `getSession`', async () => {
  await stage('first', { 'jquery-1.7.1.min.js': 'jquery' }, async ({ person }) => {
    const page = await person();
    await ready(page);
    await reads(page, '#tick', '1');
    await reads(page, '#message', 'Hello true');
    assert.equal(await page.textContent('#place'), 'lat 51');
    assert.deepEqual(JSON.parse(await page.textContent('#who')), { id: '7', uid: '7', info: { username: 'Jo' } });
    assert.equal(await page.textContent('#notes'), 'first');
  });
});

test('with the packages of today, the check says what to change', () => {
  const app = copy('chat', { '1.jquery.min.js': 'jquery' }, PACKAGES_OF_TODAY);
  rmSync(join(app, 'node_modules'));
  mkdirSync(join(app, 'node_modules'));
  // No Jade: its successor compiles the pages.
  for (const name of ['coffeescript', 'stylus', 'pug']) symlinkSync(join(PACKAGES_OF_TODAY, name), join(app, 'node_modules', name));
  const told = spawnSync(program('ssbuild'), ['check', app], { encoding: 'utf8' });
  assert.equal(told.status, 1);
  assert.match(told.stderr, /app\/views\/app\.jade:1:1[\s\S]*help: Write `doctype html`[\s\S]*help: Or keep the Jade of 2011[^\n]*jade@0\.12/);
  const page = join(app, 'app/views/app.jade');
  writeFileSync(page, readFileSync(page, 'utf8').replace('!!! 5', 'doctype html'));
  assert.doesNotMatch(build(app).stderr, /^error/m);
});
