import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { watch } from './watch.js';

/** A proxy as some offices have it: it knows nothing of upgrades. */
async function proxy(t, target) {
  let refused = 0;
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers };
    const upgrade = headers.upgrade;
    delete headers.upgrade;
    headers.connection = 'close';
    const asked = http.request(new URL(request.url, target), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    request.pipe(asked);
    if (upgrade) refused += 1;
  });
  // Without a listener for upgrades, node answers them as plain requests.
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://localhost:${server.address().port}`, refused: () => refused };
}

test('through a proxy that refuses websockets, the app works without them', async (t) => {
  const { page, first } = await watch(t, {
    'app/views/app.html': '<!doctype html><html><head><SocketStream></head><body></body></html>\n',
    'app/client/app.js': "window.heard = []; SS.events.on('said', (word) => window.heard.push(word)); exports.init = function () {};\n",
    'app/server/app.js': `exports.actions = {
  square: function (n, cb) { cb(n * n); },
  keep: function (word, cb) { this.session.attributes.word = word; cb(true); },
  kept: function (cb) { cb(this.session.attributes.word); },
  say: function (word, cb) { SS.publish.broadcast('said', word); cb(true); },
};\n`,
  });
  const blocked = await proxy(t, first.url);
  await page.goto(blocked.url);
  await page.waitForFunction(() => window.SS.started);
  assert.ok(blocked.refused() > 0, 'a websocket was tried');
  assert.equal(await page.evaluate(() => window.SS.server.app.square(25)), 625);
  assert.deepEqual(await page.evaluate(() => Promise.all([1, 2, 3, 4].map((n) => window.SS.server.app.square(n)))), [1, 4, 9, 16]);
  await page.evaluate(() => window.SS.server.app.say('hello'));
  await page.waitForFunction(() => window.heard.includes('hello'));
  await page.evaluate(() => window.SS.server.app.keep('lantern'));

  // The session, and what was published meanwhile, come back with the next connection.
  await page.evaluate(() => window.SS.socket.disconnect());
  const other = await page.context().newPage();
  await other.goto(first.url);
  await other.waitForFunction(() => window.SS.started);
  await other.evaluate(() => window.SS.server.app.say('missed'));
  await page.evaluate(() => window.SS.socket.connect());
  await page.waitForFunction(() => window.heard.includes('missed'));
  assert.equal(await page.evaluate(() => window.SS.server.app.kept()), 'lantern');
});
