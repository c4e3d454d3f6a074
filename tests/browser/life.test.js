// What becomes of a page over a long day: it is left and come back to, it sleeps, its server is exchanged.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { stage } from './harness.js';
import { watch } from './watch.js';

const files = {
  'app/views/app.html': '<!doctype html><html><head><SocketStream></head><body></body></html>\n',
  'app/client/app.js': `window.heard = [];
window.recoveries = [];
SS.events.on('said', (word) => window.heard.push(word));
SS.events.on('recovered', (all) => window.recoveries.push(all));
exports.init = function () {};
`,
  'app/server/app.js': 'exports.actions = { say: function (word, cb) { SS.publish.broadcast("said", word); cb(true); } };\n',
  'public/other.html': '<!doctype html><title>another page</title>\n',
};

const state = (page) => page.evaluate(() => window.SS.socket.state);
const say = (page, word) => page.evaluate((word) => window.SS.server.app.say(word), word);

/** Another page of the same app. */
async function another(page, url) {
  const other = await page.context().newPage();
  await other.goto(url);
  await other.waitForFunction(() => window.SS.started);
  return other;
}

test('a page in the back-forward cache comes back as it was, with all that it missed', async (t) => {
  const { page, first } = await watch(t, files);
  await page.evaluate(() => window.addEventListener('pageshow', (event) => (window.persisted = event.persisted)));
  const other = await another(page, first.url);
  await page.goto(new URL('/other.html', first.url).href);
  await say(other, 'while it was away');
  // Such a page is not loaded: there is no event to wait for.
  await page.goBack({ waitUntil: 'commit' });
  await page.waitForFunction(() => window.persisted !== undefined);
  assert.equal(await page.evaluate(() => window.persisted), true, 'its socket did not keep it out of the cache');
  assert.equal(await page.evaluate(() => window.mark), 'kept');
  await page.waitForFunction(() => window.heard.includes('while it was away'));
  assert.equal(await state(page), 'open');
  assert.deepEqual(await page.evaluate(() => window.recoveries), [true]);
  await say(page, 'here again');
  await page.waitForFunction(() => window.heard.includes('here again'));
});

/** Lets connections through, or none. */
async function line(t, port) {
  const open = new Set();
  const road = { cut: false };
  const server = net.createServer((socket) => {
    if (road.cut) return socket.destroy();
    const target = net.connect(port, '127.0.0.1');
    for (const [from, to] of [[socket, target], [target, socket]]) {
      open.add(from);
      from.on('error', () => {}).on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    open.forEach((socket) => socket.destroy());
    server.close();
  });
  road.url = `http://localhost:${server.address().port}/`;
  road.hangUp = () => {
    road.cut = true;
    open.forEach((socket) => socket.destroy());
  };
  return road;
}

test('a page that is hidden for an hour without a network does not hammer, and is back when it is looked at', async (t) => {
  const { page, first } = await watch(t, files);
  const road = await line(t, new URL(first.url).port);
  await page.clock.install();
  await page.addInitScript(() => {
    window.attempts = 0;
    window.WebSocket = class extends window.WebSocket {
      constructor(...args) {
        window.attempts += 1;
        super(...args);
      }
    };
  });
  await page.goto(road.url);
  await page.waitForFunction(() => window.SS.started);
  const other = await another(page, first.url);
  const see = (visibility) =>
    page.evaluate((visibility) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: visibility });
      document.dispatchEvent(new Event('visibilitychange'));
    }, visibility);
  await see('hidden');
  road.hangUp();
  await page.waitForFunction(() => window.SS.socket.state !== 'open');
  await say(other, 'while it slept');
  for (let seconds = 0; seconds < 3600; seconds += 5) await page.clock.runFor(5_000);
  // The pauses are ten seconds on the average, once there were some failures.
  const attempts = await page.evaluate(() => window.attempts);
  assert.ok(attempts > 30 && attempts < 450, `${attempts} attempts in an hour`);
  const called = page.evaluate(() => window.SS.server.app.say('called while it slept'));
  road.cut = false;
  await see('visible');
  await page.waitForFunction(() => window.SS.socket.state === 'open');
  await called;
  await page.waitForFunction(() => window.heard.includes('called while it slept'));
  assert.deepEqual(await page.evaluate(() => window.heard), ['while it slept', 'called while it slept'], 'nothing missed, nothing twice');
  assert.deepEqual(await page.evaluate(() => window.recoveries), [true]);
});

test('a page learns that the server runs a newer build than its own', async (t) => {
  const { person, server, app, build } = await stage(t);
  const { page } = await person();
  await page.evaluate(() => window.SS.events.on('upgrade', (what) => (window.upgrade = what)));
  const before = JSON.parse(await fs.readFile(path.join(server.dist, 'manifest.json'), 'utf8')).build_id;
  await fs.appendFile(path.join(app, 'app/client/app.ts'), '\nexport const newer = true;\n');
  await build();
  const after = JSON.parse(await fs.readFile(path.join(server.dist, 'manifest.json'), 'utf8')).build_id;
  assert.notEqual(after, before);
  server.child.kill('SIGHUP');
  const upgrade = await page.waitForFunction(() => window.upgrade);
  assert.deepEqual(await upgrade.jsonValue(), { build_id: after, required: false });
  assert.equal(await page.evaluate(() => window.SS.socket.state), 'open', 'the connection is the same');
  await page.reload();
  await page.waitForFunction(() => window.SS.client.app.newer);
});
