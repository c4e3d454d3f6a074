// The chat app in a second browser, so that one browser's habits are not ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firefox } from './firefox.js';
import { serve } from './harness.js';

const said = (text) => [...document.querySelectorAll('.message__text')].some((message) => message.textContent.includes(text));

test('login, a message and a reload in Firefox', async (t) => {
  const { server } = await serve(t);
  const tab = await firefox(t);
  await tab.goto(server.url);
  await tab.type('#gate [name=name]', 'Fia Fuchs');
  await tab.type('#gate [name=password]', 'lantern\n');
  await tab.click('[data-room="lobby"]');
  await tab.click('#step-in');
  await tab.type('#text', 'hello from another browser\n');
  await tab.until(said, 'hello from another browser');
  assert.equal(await tab.evaluate(() => window.SS.socket.state), 'open');

  await tab.evaluate(() => (window.mark = 'gone after a reload'));
  await tab.reload();
  await tab.until(said, 'hello from another browser');
  assert.equal(await tab.evaluate(() => window.mark ?? null), null);
  assert.equal(await tab.evaluate(() => document.querySelector('#gate').checkVisibility()), false, 'still signed in');

  // The line breaks and comes back by itself.
  await server.kill();
  await tab.until(() => window.SS.socket.state !== 'open');
  await server.start();
  await tab.until(() => window.SS.socket.state === 'open');
  await tab.type('#text', 'back again\n');
  await tab.until(said, 'back again');

  const own = tab.complaints().filter((text) => !/websocket|can.t establish a connection|was interrupted/i.test(text));
  assert.deepEqual(own, [], 'nothing is blocked by the policy, nothing throws');
});
