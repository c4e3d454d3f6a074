// Firefox as Debian ships it, over WebDriver BiDi: a websocket and JSON, so nothing has to be installed beside it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
/** The longest that anything on this machine may take before a test gives up. */
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** Nothing of a profile that is new may reach out, or ask. */
const PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.systemAddon.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'remote.active-protocols': 1,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.reportingpolicy.firstRun': false,
};

/** One tab of a Firefox of its own, which the test context takes down. */
export async function firefox(t) {
  await fs.access(FIREFOX, fs.constants.X_OK).catch(() => assert.fail(`${FIREFOX} is missing: scripts/setup-tests.sh installs it`));
  const profile = await fs.mkdtemp(path.join(os.tmpdir(), 'ssbuild-firefox-'));
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  await fs.writeFile(path.join(profile, 'user.js'), lines.join(''));
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'];
  const child = spawn(FIREFOX, args, { env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' }, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await fs.rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  let said = '';
  const address = await new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      const found = said.match(/WebDriver BiDi listening on (ws:\/\/\S+)/);
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`Firefox ended with ${code}:\n${said}`)));
  });
  const bidi = await Session.open(`${address}/session`);
  t.after(() => bidi.socket.close());
  await bidi.send('session.new', { capabilities: {} });
  await bidi.send('session.subscribe', { events: ['log.entryAdded'] });
  const { contexts } = await bidi.send('browsingContext.getTree', {});
  return new Tab(bidi, contexts[0].context);
}

/** A connection that carries commands and events. */
class Session {
  constructor(socket) {
    Object.assign(this, { socket, waiting: new Map(), events: [], last: 0 });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'event') return this.events.push(message);
      const { resolve, reject } = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.type === 'success') resolve(message.result);
      else reject(new Error(`${message.error}: ${message.message}`));
    };
    socket.onclose = () => this.waiting.forEach(({ reject }) => reject(new Error('Firefox hung up')));
  }

  static open(url) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.onopen = () => resolve(new Session(socket));
      socket.onerror = () => reject(new Error(`no answer from ${url}`));
    });
  }

  send(method, params) {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.last, { resolve, reject });
      this.socket.send(JSON.stringify({ id: this.last, method, params }));
    });
  }
}

/** A page and its person. */
class Tab {
  constructor(bidi, context) {
    Object.assign(this, { bidi, context });
  }

  goto(url) {
    return this.bidi.send('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
  }

  reload() {
    return this.bidi.send('browsingContext.reload', { context: this.context, wait: 'complete' });
  }

  /** What a function gives in the page, as JSON. */
  async evaluate(fn, ...args) {
    const expression = `Promise.resolve((${fn})(...${JSON.stringify(args)})).then((value) => JSON.stringify(value ?? null))`;
    const { result, exceptionDetails } = await this.bidi.send('script.evaluate', {
      expression,
      target: { context: this.context },
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return JSON.parse(result.value);
  }

  /** Waits until a function gives something true in the page. */
  async until(fn, ...args) {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      // While the page is loaded there is nobody to answer.
      const value = await this.evaluate(fn, ...args).catch(() => null);
      if (value) return value;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return assert.fail(`waited for ${fn} ${JSON.stringify(args)}; the page shows:\n${await this.evaluate(() => document.body.innerText)}`);
  }

  /** Clicks with a real pointer, so that what lies over the element would be hit. */
  async click(selector) {
    await this.until((selector) => document.querySelector(selector)?.checkVisibility(), selector);
    const at = await this.evaluate((selector) => {
      const element = document.querySelector(selector);
      element.scrollIntoView({ block: 'nearest' });
      const box = element.getBoundingClientRect();
      return { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
    }, selector);
    const actions = [{ type: 'pointerMove', ...at }, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }];
    await this.bidi.send('input.performActions', { context: this.context, actions: [{ type: 'pointer', id: 'mouse', actions }] });
  }

  /** Types into a field, key by key; `\n` is Enter. */
  async type(selector, text) {
    await this.click(selector);
    const keys = [...text].map((letter) => (letter === '\n' ? '\uE007' : letter));
    const actions = keys.flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]);
    await this.bidi.send('input.performActions', { context: this.context, actions: [{ type: 'key', id: 'keys', actions }] });
  }

  /** What pages complained of so far. */
  complaints() {
    const entries = this.bidi.events.map(({ params }) => params);
    return entries.filter(({ level }) => level === 'error' || level === 'warn').map(({ text }) => text);
  }
}
