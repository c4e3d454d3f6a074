// What every browser test needs: the chat app built and served, and browsers that watch for anything that goes wrong.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TARGET = process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target');
const SSBUILD = process.env.SSBUILD_BIN ?? path.join(TARGET, 'debug/ssbuild');
const SSSERVE = process.env.SSSERVE_BIN ?? path.join(TARGET, 'debug/ssserve');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** The longest that anything on this machine may take before a test gives up. */
const PATIENCE_MS = 30_000;

async function mustExist(file, remedy) {
  await fs.access(file, fs.constants.X_OK).catch(() => assert.fail(`${file} is missing: ${remedy}`));
}

/** Runs a program to its end; its output, or a failure that shows it. */
async function run(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [code, signal] = await once(child, 'close');
  assert.equal(code, 0, `${path.basename(program)} ${args.join(' ')} ended with ${signal ?? code}:\n${output}`);
  return output;
}

/** `ssserve` on one port, which can be killed and started again. */
class Server {
  constructor(dist, state, limits) {
    Object.assign(this, { dist, state, limits, port: 0, log: '', child: null });
  }

  get url() {
    return `http://localhost:${this.port}`;
  }

  /** Starts it on a free port, later on the same one, and waits until it says that it listens. */
  async start() {
    const env = { ...process.env, SS__SERVER__STATE_DIR: this.state };
    for (const [name, value] of Object.entries(this.limits)) env[`SS__LIMITS__${name.toUpperCase()}`] = String(value);
    const child = spawn(SSSERVE, [this.dist, '--host', '127.0.0.1', '--port', String(this.port)], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    let printed = '';
    this.port = await new Promise((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text) => {
          this.log += text;
          printed += text;
          const address = printed.match(/http:\/\/[^\s/:]+:(\d+)/);
          if (address) resolve(Number(address[1]));
        });
      }
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`ssserve ended with ${signal ?? code}:\n${this.log}`)));
    });
  }

  /** Ends it as a power cut would. */
  async kill() {
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/** One browser of one person: own cookies, and a record of all that its pages complain about. */
class Person {
  constructor(context, url) {
    Object.assign(this, { context, url, complaints: [], frames: [], offline: false });
  }

  /** Opens a further tab. */
  async tab() {
    const page = await this.context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => {
      // While the server is down the browser itself reports each attempt to reach it.
      if (this.offline && /ERR_CONNECTION_|WebSocket connection to/.test(message.text())) return;
      if (['error', 'warning'].includes(message.type())) this.complaints.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`page: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400) this.complaints.push(`${response.status()} for ${response.url()}`);
    });
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => this.frames.push(...String(payload).split('\n')));
    });
    await page.exposeBinding('policyViolated', (_, what) => this.complaints.push(`policy: ${what}`));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        window.policyViolated(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    await page.goto(this.url);
    await page
      .waitForFunction(() => document.body.dataset.stage !== 'starting')
      .catch((error) => assert.fail(`the app did not start (${error.message}):\n${this.complaints.join('\n')}`));
    this.page ??= page;
    return page;
  }

  assertNoComplaints() {
    assert.deepEqual(this.complaints, []);
  }
}

/** Builds the chat app once and serves it; the test context takes it down. */
export async function serve(t, { limits = {}, env = 'production' } = {}) {
  await mustExist(SSBUILD, 'cargo build --workspace');
  await mustExist(SSSERVE, 'cargo build --workspace');
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'ssbuild-browser-'));
  const app = path.join(folder, 'chat');
  const dist = path.join(folder, 'dist');
  // A copy, so that no test writes into the sources.
  await fs.cp(path.join(ROOT, 'testdata/apps/chat'), app, {
    recursive: true,
    filter: (source) => !['dist', '.ssbuild', '.ssserve'].includes(path.basename(source)),
  });
  const build = () => run(SSBUILD, ['build', app, '--env', env, '--out', dist]);
  const printed = await build();
  const server = new Server(dist, path.join(folder, 'state'), limits);
  t.after(async () => {
    await server.kill();
    await fs.rm(folder, { recursive: true, force: true });
  });
  await server.start();
  return { server, app, build, dist, printed };
}

/** The same, with a browser. */
export async function stage(t, options = {}) {
  await mustExist(CHROMIUM, 'scripts/setup-tests.sh installs it');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  t.after(() => browser.close());
  const { server, app, build, dist, printed } = await serve(t, options);
  return {
    server,
    app,
    build,
    browser,
    dist,
    printed,
    /** A new browser profile with one tab open. */
    async person(options = {}) {
      const context = await browser.newContext(options);
      const person = new Person(context, server.url);
      await person.tab();
      return person;
    },
  };
}

export async function login(page, name, password = 'lantern') {
  await page.fill('#gate [name=name]', name);
  await page.fill('#gate [name=password]', password);
  await page.click('#gate button[type=submit]');
  await page.waitForSelector('#house:not([hidden])');
}

/** Steps into a room from the list. */
export async function enter(page, room) {
  await page.click(`[data-room="${room}"]`);
  await page.click('#step-in');
  await page.waitForSelector('#composer:not([hidden])');
}

export async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

/** Waits until the message stands in the conversation. */
export async function hears(page, text) {
  await page.locator('.message__text', { hasText: text }).first().waitFor();
}

export async function pill(page, state) {
  await page.waitForSelector(`.pill[data-state="${state}"]`);
}

/** What became of a call: `{value}` or `{code, message}`. */
export function call(page, action, ...args) {
  return page.evaluate(
    ([path, data]) =>
      path
        .split('.')
        .reduce((node, part) => node[part], window.SS.server)(...data)
        .then(
          (value) => ({ value }),
          ({ code, message }) => ({ code, message }),
        ),
    [action, args],
  );
}
