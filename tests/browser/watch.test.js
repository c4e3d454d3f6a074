import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { watch } from './watch.js';

const files = {
  'app/views/app.html': '<!doctype html><html><head><title>w</title><SocketStream></head><body><p id="out"></p></body></html>\n',
  'app/views/rows/row.html': '<li>one</li>\n',
  'app/css/app.scss': "@import 'colors';\nbody { color: $ink; }\n",
  'app/css/_colors.scss': '$ink: rgb(1, 2, 3);\n',
  'app/client/app.js': 'exports.init = function () { SS.client.counter.add(); };\n',
  'app/client/counter.js': counter(1),
  'app/client/user.js': "import { step } from './steps';\nexport const describe = () => 'step ' + step;\n",
  'app/client/steps.js': 'export const step = 1;\n',
  'app/shared/sum.js': 'exports.of = function (a, b) { return a + b; };\n',
  'app/server/app.js': server('one'),
};

function counter(step) {
  return `let n = 0;
SS.events.on('tick', () => { n += 100; });
exports.add = function () { n += ${step}; };
exports.value = function () { return n; };
exports.hot = function (previous) { n = previous.value(); };
exports.dispose = function () { window.disposed = (window.disposed || 0) + 1; };
`;
}

function server(word) {
  return `let calls = 0;
exports.actions = {
  word: function (cb) { calls += 1; cb('${word} ' + calls); },
  note: function (text, cb) { this.session.attributes.note = text; cb(true); },
  noted: function (cb) { cb(this.session.attributes.note); },
  tick: function (cb) { SS.publish.broadcast('tick'); cb(true); },
  fail: function (cb) { const nothing = undefined; cb(nothing.at); },
};
`;
}

const value = (page) => page.evaluate(() => window.SS.client.counter.value());
const color = (page) => page.evaluate(() => getComputedStyle(document.body).color);

test('each kind of change reaches an open page, and its state stays', async (t) => {
  const { page, write, remove, kept, says, violations, told } = await watch(t, files);
  assert.equal(await value(page), 1);
  assert.deepEqual(await page.evaluate(() => Object.keys(window.SS.client.counter)), ['add', 'value'], 'hot and dispose are no public names');

  await write('app/css/_colors.scss', '$ink: rgb(9, 8, 7);\n');
  await page.waitForFunction(() => getComputedStyle(document.body).color === 'rgb(9, 8, 7)');
  await says('app/css/_colors.scss: styles swapped');
  assert.equal(await value(page), 1, 'a counter survives a stylesheet');

  await write('app/client/counter.js', counter(10));
  await says('app/client/counter.js evaluated again');
  assert.equal(await value(page), 1, 'a counter survives its own module by `hot`');
  await page.evaluate(() => window.SS.client.counter.add());
  assert.equal(await value(page), 11, 'and the new code runs');
  assert.equal(await page.evaluate(() => window.disposed), 1);
  await page.evaluate(() => window.SS.server.app.tick());
  await page.waitForFunction(() => window.SS.client.counter.value() !== 11);
  assert.equal(await value(page), 111, 'the handler of the old module is gone');

  assert.equal(await page.evaluate(() => window.SS.client.user.describe()), 'step 1');
  await write('app/client/steps.js', 'export const step = 2;\n');
  await says('app/client/steps.js, app/client/user.js evaluated again');
  assert.equal(await page.evaluate(() => window.SS.client.user.describe()), 'step 2', 'importers are updated');

  await write('app/shared/sum.js', 'exports.of = function (a, b) { return a + b + 1000; };\n');
  await says('app/shared/sum.js evaluated again');
  assert.equal(await page.evaluate(() => window.SS.shared.sum.of(1, 2)), 1003);

  await write('app/views/rows/row.html', '<li>two</li>\n');
  await says('app/views/rows/row.html: templates swapped');
  assert.equal(await page.evaluate(() => window.SS.templates['rows-row']), '<li>two</li>\n');
  assert.equal(await page.evaluate(() => document.getElementById('rows-row').textContent), '<li>two</li>\n');

  await write('app/client/a/new.js', 'exports.there = 1;\n');
  await says('app/client/a/new.js evaluated again');
  assert.equal(await page.evaluate(() => window.SS.client.a.new.there), 1, 'a new module has its node, and the others have new numbers');
  await page.evaluate(() => window.SS.client.counter.add());
  assert.equal(await value(page), 121);
  await remove('app/client/a/new.js');
  await page.waitForFunction(() => !('a' in window.SS.client));

  await page.evaluate(() => window.SS.server.app.note('kept by the session'));
  assert.equal(await page.evaluate(() => window.SS.server.app.word()), 'one 1');
  await write('app/server/app.js', server('two'));
  await says('app/server/app.js: server code exchanged');
  assert.equal(await page.evaluate(() => window.SS.server.app.word()), 'two 1');
  assert.equal(await page.evaluate(() => window.SS.server.app.noted()), 'kept by the session');
  await write('app/css/_colors.scss', '$ink: rgb(4, 5, 6);\n');
  await page.waitForFunction(() => getComputedStyle(document.body).color === 'rgb(4, 5, 6)');
  assert.equal(await page.evaluate(() => window.SS.server.app.word()), 'two 2', 'server code that did not change keeps its state');

  assert.equal(await value(page), 121);
  assert.equal(await kept(), 'kept', 'the page was never loaded again');

  await write('app/client/app.js', 'exports.init = function () { SS.client.counter.add(); window.started = 2; };\n');
  await page.waitForFunction(() => window.started === 2);
  assert.equal(await kept(), undefined, 'what starts the page cannot be swapped');
  assert.equal(await value(page), 10);
  await says('reloaded: `app/client/app.js` changed, which starts the page');
  assert.deepEqual(violations, []);
  assert.deepEqual(told.filter((text) => /refused|violates/i.test(text)), []);
});

test('a mistake is shown over the page until it is mended, and the last good build goes on', async (t) => {
  const { page, write, kept, violations } = await watch(t, files);
  const shown = () => page.evaluate(() => document.querySelector('ss-overlay')?.shadowRoot.textContent ?? '');
  await write('app/client/counter.js', "import { nothing } from './nowhere';\n");
  await page.waitForFunction(() => document.querySelector('ss-overlay'));
  assert.match(await shown(), /cannot find `\.\/nowhere`/);
  assert.match(await shown(), /import \{ nothing \} from '\.\/nowhere'/, 'with the line of code');
  const link = await page.evaluate(() => {
    const a = document.querySelector('ss-overlay').shadowRoot.querySelector('a');
    return [a.textContent, a.href];
  });
  assert.match(link[0], /^app\/client\/counter\.js:1:\d+$/);
  assert.match(link[1], /^vscode:\/\/file\/.*\/app\/client\/counter\.js:1:\d+$/);
  assert.equal(await value(page), 1, 'the page goes on');
  if (process.env.SSBUILD_SCREENSHOTS) await page.screenshot({ path: `${process.env.SSBUILD_SCREENSHOTS}/overlay.png` });
  await write('app/client/counter.js', counter(5));
  await page.waitForFunction(() => !document.querySelector('ss-overlay'));
  assert.equal(await kept(), 'kept');
  assert.deepEqual(violations, []);
});

test('what fails on the server is shown over the page, and what fails in the page is printed in the terminal', async (t) => {
  const { page, says, prints } = await watch(t, files);
  await page.evaluate(() => window.SS.server.app.fail().catch(() => {}));
  await page.waitForFunction(() => document.querySelector('ss-overlay'));
  const shown = await page.evaluate(() => document.querySelector('ss-overlay').shadowRoot.textContent);
  assert.match(shown, /app\/fail failed: action_error/);
  assert.match(shown, /app\/server\/app\.js:7:/, 'in the lines that were written');
  assert.match(shown, /cb\(nothing\.at\)/);
  await says('[ss] ');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('ss-overlay'));

  await page.evaluate(() => setTimeout(() => window.SS.client.counter.nothing()));
  await prints('in a page: TypeError: ');
});

test('the editor is what the configuration says', async (t) => {
  const { page, write } = await watch(t, {
    ...files,
    'config/app.json': '{ "dev": { "editor_url": "idea://open?file={file}&line={line}" } }\n',
  });
  await write('app/css/app.scss', 'body { color: ; }\n');
  await page.waitForFunction(() => document.querySelector('ss-overlay'));
  const href = await page.evaluate(() => document.querySelector('ss-overlay').shadowRoot.querySelector('a').href);
  assert.match(href, /^idea:\/\/open\?file=.*app\.scss&line=1$/);
});

test('before the first good build, its address shows what is wrong, and then it is the app', async (t) => {
  const { page, write, built, first } = await watch(t, { ...files, 'app/client/app.js': 'exports.init = <b>;\n' });
  assert.equal(first.built, false);
  const answer = await page.goto(first.url);
  assert.equal(answer.status(), 503);
  assert.equal(answer.headers()['cache-control'], 'no-store');
  assert.match(await page.innerText('body'), /exports\.init = <b>;/, 'the line, as text');
  assert.match(await page.innerText('a'), /^app\/client\/app\.js:1:\d+$/);
  assert.match(await page.getAttribute('a', 'href'), /^vscode:\/\/file\/.*\/app\/client\/app\.js:1:\d+$/);
  // Asked under another name it tells nothing: names can lead anywhere.
  const asked = http.get({ port: new URL(first.url).port, headers: { host: 'elsewhere.example' } });
  const [elsewhere] = await once(asked, 'response');
  assert.equal(elsewhere.statusCode, 421);
  elsewhere.resume();

  await write('app/css/app.scss', 'body { color: ; }\n');
  await page.waitForFunction(() => /app\.scss/.test(document.body.innerText));
  await write('app/client/app.js', 'exports.init = function () {};\n');
  await write('app/css/app.scss', 'body { color: rgb(1, 2, 3); }\n');
  await page.waitForFunction(() => window.SS && window.SS.started);
  assert.equal(await page.evaluate(() => window.SS.server.app.word()), 'one 1');
  let last;
  do last = await built();
  while (!last.built);
  assert.equal(last.url, first.url);
});

test('an app with https.enabled is watched over TLS', async (t) => {
  const config = JSON.stringify({ https: { enabled: true, port: 0 } });
  const { page, first, write, says, app } = await watch(t, { ...files, 'config/app.json': `${config}\n` }, { ignoreHTTPSErrors: true });
  assert.match(first.url, /^https:\/\/localhost:\d+$/);
  assert.equal(await page.evaluate(() => location.protocol), 'https:');
  assert.equal(await page.evaluate(() => window.SS.server.app.word()), 'one 1');
  await write('app/client/counter.js', counter(10));
  await says('app/client/counter.js evaluated again');
  assert.ok((await fs.readdir(path.join(app, '.ssserve'))).some((name) => name.endsWith('.pem')), 'the certificate is kept');
});
