// Makes the pictures of the book anew: `node tests/browser/images.mjs`. Look at them before they are committed.

import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { enter, hears, login, say, stage } from './harness.js';
import { terminal } from './terminal.js';
import { SSBUILD, watch } from './watch.js';

const FOLDER = path.resolve(import.meta.dirname, '../../book/src/images');
const VIEWPORT = { width: 1100, height: 700 };
const run = promisify(execFile);

const cleanups = [];
const t = { after: (fn) => cleanups.unshift(fn) };
const wanted = process.argv.slice(2);
const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'ssbuild-images-'));
t.after(() => fs.rm(folder, { recursive: true, force: true }));

/** Colours of the terminal's palette, by their number. */
const PALETTE = ['#15181f', '#ff7b72', '#7ee787', '#e3b341', '#79c0ff', '#d2a8ff', '#76e3ea', '#c9d1d9'];

/** A screen with its escape sequences, as HTML. */
function painted(text) {
  let style = {};
  let html = '';
  for (const [, codes, words] of text.matchAll(/(?:\x1b\[([\d;]*)m)?([^\x1b]*)/g)) {
    for (const code of codes === undefined ? [] : codes.split(';').map(Number)) {
      if (code === 0) style = {};
      else if (code === 1) style.bold = true;
      else if (code === 2) style.dim = true;
      else if (code === 22) style.bold = style.dim = false;
      else if (code === 39) style.color = undefined;
      else if (code >= 30 && code <= 37) style.color = PALETTE[code - 30];
      else if (code >= 90 && code <= 97) style.color = PALETTE[code - 90];
    }
    const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    const css = [style.bold && 'font-weight:700', style.dim && 'opacity:.6', style.color && `color:${style.color}`].filter(Boolean).join(';');
    html += css ? `<span style="${css}">${escaped}</span>` : escaped;
  }
  return `<!doctype html><body style="margin:0;background:#15181f"><pre style="margin:0;padding:14px 18px;display:inline-block;
    color:#c9d1d9;font:14px/1.45 'DejaVu Sans Mono',monospace">${html}</pre></body>`;
}

const pictures = {
  async chat() {
    const { person } = await stage(t);
    const [ada, bea] = [await person({ viewport: VIEWPORT }), await person()];
    await login(ada.page, 'Ada');
    await login(bea.page, 'Bea');
    for (const { page } of [ada, bea]) await enter(page, 'lobby');
    const talk = [
      [bea, 'Morning all :sun:'],
      [bea, 'Has anyone seen the good kettle?'],
      [ada, 'In the workshop. It sings in a minor key, and I want to know why.'],
      [bea, 'Bring it back when it is happy again -> kitchen'],
    ];
    for (const [who, text] of talk) {
      await say(who.page, text);
      await hears(ada.page, text.slice(0, 12));
    }
    await shoot(ada.page, 'chat');
  },

  async overlay() {
    const { page, write } = await watch(t, {
      'app/views/app.html': '<!doctype html><html><head><title>talk</title><SocketStream></head><body><h1>Talk</h1></body></html>\n',
      'app/css/app.scss': 'body { font: 16px system-ui; margin: 3rem; }\n',
      'app/client/app.js': "import { title } from './titles';\n\nexports.init = function () {\n  document.title = title('talk');\n};\n",
      'app/client/titles.js': 'export const title = (name) => name.toUpperCase();\n',
      'app/server/app.js': 'exports.actions = { square: function (n, cb) { cb(n * n); } };\n',
    });
    await page.setViewportSize({ width: 1000, height: 460 });
    await write('app/client/app.js', "import { title } from './title';\n\nexports.init = function () {\n  document.title = title('talk');\n};\n");
    await page.waitForFunction(() => document.querySelector('ss-overlay'));
    await shoot(page, 'overlay');
  },

  async terminal() {
    const app = path.join(folder, 'talk');
    await run(SSBUILD, ['new', app, '--template', 'chat']);
    const screen = await terminal(t, [SSBUILD, 'watch', app], { columns: 92, lines: 24, folder, env: { BROWSER: 'true' } });
    await screen.until('first build');
    const edit = async (name, change) => {
      const text = await fs.readFile(path.join(app, name), 'utf8');
      await fs.writeFile(path.join(app, name), change(text));
    };
    const entry = (await fs.readdir(path.join(app, 'app/client'))).find((name) => name.startsWith('app.'));
    const sheet = (await fs.readdir(path.join(app, 'app/css'))).find((name) => name.startsWith('app.'));
    await edit(`app/css/${sheet}`, (text) => `${text}\nbody { line-height: 1.5; }\n`);
    await screen.until(/✓ +\d+ {2}app\/css/);
    await edit(`app/client/${entry}`, (text) => `${text}\nexport function debug() {\n  return SS.server.chat.sned('hello');\n}\n`);
    await screen.until('unknown-path');
    await edit(`app/client/${entry}`, (text) => text.replace("sned('hello');", "send('hello';"));
    await screen.until(/✗ +\d/);
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    t.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 900, height: 400 } });
    await page.setContent(painted(await screen.painted()));
    await page.locator('pre').screenshot({ path: path.join(FOLDER, 'terminal.png') });
  },

  async waiting() {
    const { page, first } = await watch(t, {
      'app/views/app.html': '<!doctype html><html><head><SocketStream></head><body></body></html>\n',
      'app/client/app.js': "exports.init = function ( {\n  console.log('hello');\n};\n",
    });
    await page.setViewportSize({ width: 1000, height: 420 });
    await page.goto(first.url);
    await shoot(page, 'waiting');
  },
};

async function shoot(page, name) {
  await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations === 1).map((a) => a.finished)));
  await page.screenshot({ path: path.join(FOLDER, `${name}.png`) });
}

try {
  await fs.mkdir(FOLDER, { recursive: true });
  for (const [name, make] of Object.entries(pictures)) {
    if (wanted.length && !wanted.includes(name)) continue;
    await make();
    console.log(`${name}.png: ${(await fs.stat(path.join(FOLDER, `${name}.png`))).size} bytes`);
  }
} finally {
  for (const cleanup of cleanups) await cleanup();
}
