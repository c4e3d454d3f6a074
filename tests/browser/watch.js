// `ssbuild watch` on an app that a test writes, and a page that shows it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TARGET = process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target');
export const SSBUILD = process.env.SSBUILD_BIN ?? path.join(TARGET, 'debug/ssbuild');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Writes an app, watches it, and opens its page. */
export async function watch(t, files, context = {}) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'ssbuild-watch-'));
  const app = path.join(folder, 'app');
  const write = async (name, text) => {
    await fs.mkdir(path.dirname(path.join(app, name)), { recursive: true });
    await fs.writeFile(path.join(app, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const child = spawn(SSBUILD, ['watch', app, '--json', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const terminal = { text: '' };
  child.stderr.setEncoding('utf8').on('data', (text) => (terminal.text += text));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu'],
    // People's browsers have one.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  t.after(async () => {
    await browser.close();
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await fs.rm(folder, { recursive: true, force: true });
  });
  /** The next build that it tells of. */
  async function built() {
    for (;;) {
      const { value, done } = await lines.next();
      assert.ok(!done, `the watch ended:\n${terminal.text}`);
      const line = JSON.parse(value);
      if (line.event === 'build') return line;
    }
  }
  const first = await built();
  const page = await (await browser.newContext(context)).newPage();
  const told = [];
  const violations = [];
  page.on('console', (message) => told.push(message.text()));
  await page.exposeBinding('policyViolated', (_, what) => violations.push(what));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => window.policyViolated(`${event.violatedDirective} ${event.blockedURI}`));
  });
  if (first.built) {
    await page.goto(first.url);
    await page.waitForFunction(() => window.SS.started);
    // A mark that only a real reload takes away.
    await page.evaluate(() => (window.mark = 'kept'));
  }
  const kept = () => page.evaluate(() => window.mark);
  /** Waits until the page says so in its console. */
  const says = async (words) => {
    while (!told.some((text) => text.includes(words))) await page.waitForEvent('console', { timeout: 30_000 });
  };
  /** Waits until the terminal says so. */
  const prints = async (words) => {
    while (!terminal.text.includes(words)) await once(child.stderr, 'data');
  };
  return { app, child, write, built, page, told, violations, kept, says, prints, first, remove: (name) => fs.rm(path.join(app, name)) };
}
