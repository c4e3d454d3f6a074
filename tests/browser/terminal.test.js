// `ssbuild watch` as a person at a terminal has it.

import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { terminal } from './terminal.js';
import { SSBUILD } from './watch.js';

const files = {
  'config/app.json': '{ "name": "talk" }\n',
  'app/views/app.html': '<!doctype html><html><head><SocketStream></head><body></body></html>\n',
  'app/client/app.js': 'exports.init = function () {};\n',
  'app/client/a/rather/long/way/down/to/the/module.js': 'exports.n = 1;\n',
  'app/server/app.js': 'exports.actions = { square: function (n, cb) { cb(n * n); } };\n',
};

/** The app, watched on a terminal. */
async function watched(t, more = {}, size = {}) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'ssbuild-terminal-'));
  const app = path.join(folder, 'talk');
  const write = async (name, text) => {
    await fs.mkdir(path.dirname(path.join(app, name)), { recursive: true });
    await fs.writeFile(path.join(app, name), text);
  };
  for (const [name, text] of Object.entries({ ...files, ...more })) await write(name, text);
  // Notes what it is asked to open.
  const browser = path.join(folder, 'browser');
  await fs.writeFile(browser, `#!/bin/sh\necho "$1" >> ${folder}/opened\n`, { mode: 0o755 });
  const opened = () => fs.readFile(path.join(folder, 'opened'), 'utf8').catch(() => '');
  const command = [SSBUILD, 'watch', app, '--port', '0'];
  const screen = await terminal(t, command, { ...size, folder, env: { BROWSER: browser } });
  // Behind the program that writes to it.
  t.after(() => fs.rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return { app, write, opened, ...screen };
}

test('the screen tells where the app is, what was rebuilt and what is wrong, and hears keys', async (t) => {
  const { write, opened, until, press, painted } = await watched(t);
  const first = await until('first build');
  assert.match(first, /talk {2}development {2}[0-9a-f]{16}/);
  assert.match(first, /➜ {2}http:\/\/localhost:\d+\n/);
  assert.match(first, /2 client modules, 0 shared modules, 1 action, 0 templates, 1 page/);
  assert.match(first, /✓ +1 {2}first build +\d+ ms/);
  assert.match(first, /r rebuild {3}o open {3}c clear {3}q quit/);
  const url = first.match(/http:\/\/localhost:\d+/)[0];
  assert.match(await painted(), /\x1b\[32m➜/, 'in colours');

  await write('app/client/app.js', 'exports.init = function () { return 1; };\n');
  // A slow writer may be seen twice: numbers are no part of what is promised.
  await until(/✓ +\d+ {2}app\/client\/app\.js +\d+ ms/);
  await press('r');
  await until(/✓ +\d+ {2}asked for +\d+ ms/);

  await write('app/client/app.js', 'exports.init = function ( { return 1; };\n');
  const broken = await until(/✗ +\d+ {2}app\/client\/app\.js +\d+ ms[^]*error/);
  assert.match(broken, /error\[syntax-error\]/);
  assert.match(broken, /--> app\/client\/app\.js:1:/);
  assert.match(broken, /1 \| exports\.init = function \( \{ return 1; \};/);
  assert.ok(broken.includes(url), 'the last good build is still there');
  await write('app/client/app.js', 'SS.server.app.sqare(1);\nSS.server.app.cube(2);\nexports.init = function () {};\n');
  const warned = await until('unknown-path');
  assert.doesNotMatch(warned, /error/);
  assert.match(warned, /2 × unknown-path {2}app\/client\/app\.js:1:1, app\/client\/app\.js:2:1/, 'warnings of a kind are one line');

  await press('o');
  while ((await opened()) !== `${url}\n`) await new Promise((resolve) => setTimeout(resolve, 20));
  await press('q');
  await until('ended with 0');
});

test('the screen fits its terminal, before and after it has another size', async (t) => {
  const { write, until, resize, press, history } = await watched(t, {}, { columns: 60 });
  await until('first build');
  const name = 'app/client/a/rather/long/way/down/to/the/module.js';
  await write(name, 'exports.n = 2;\n');
  const narrow = await until(/✓ +\d+ {2}\S+…\S+module\.js +\d+ ms/);
  assert.match(narrow, /^ {5}2 client modules.*…/m, 'no line is broken');
  await resize(120, 30);
  await until(name);
  await resize(44, 30);
  await until(/✓ +\d+ {2}\S{10}…\S+\.js +\d+ ms/);
  await press('c');
  await press('q');
  await until('ended with 0');
  assert.match(await history(), /first build/);
});

test('a first build that fails is on the screen, too, and its page is served', async (t) => {
  const { write, until, press } = await watched(t, { 'app/client/app.js': 'exports.init = ;\n' });
  const broken = await until('error[syntax-error]');
  assert.match(broken, /✗ +1 {2}first build/);
  const url = (await until(/http:\/\/localhost:\d+ +shows what is wrong/)).match(/http:\/\/localhost:\d+/)[0];
  const response = await fetch(url);
  assert.equal(response.status, 503);
  const text = await response.text();
  assert.match(text, /exports\.init = ;/);
  assert.match(text, /href="vscode:\/\/file\/.*\/talk\/app\/client\/app\.js:1:\d+"/);
  await write('app/client/app.js', 'exports.init = function () {};\n');
  await until(/✓ +\d+ {2}app/);
  assert.equal((await fetch(url)).status, 200, 'the same address');
  await press('C-c');
  await until('ended with 0');
});

test('a first build that takes its time shows how far it is', async (t) => {
  const many = {};
  const lines = Array.from({ length: 300 }, (_, n) => `exports.f${n} = function (a, b) { return { a: a * ${n}, b: [b, ${n}] }; };`).join('\n');
  for (let n = 0; n < 400; n++) many[`app/client/many/m${n}.js`] = `${lines}\nexports.n = ${n};\n`;
  const { until, press } = await watched(t, many);
  await until(/compiling [━╸─]+ +\d+\/40\d modules/);
  const done = await until('first build');
  assert.doesNotMatch(done, /compiling/);
  await press('q');
  await until('ended with 0');
});
