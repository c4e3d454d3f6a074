// The same for Vite: from saving a module to its new code running in an open page, on the same 1,000 modules, each of which
// accepts itself. `npm install vite` somewhere, and VITE=that/folder/node_modules/vite.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { MODULES, edits, module, name, report } from './modules.mjs';

const VITE = path.resolve(process.env.VITE ?? assert.fail('VITE names the folder of the package'));
const { chromium } = createRequire(new URL('../../tests/browser/watch.js', import.meta.url))('playwright-core');

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'ssbuild-vite-'));
const write = async (file, text) => {
  await fs.mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await fs.writeFile(path.join(folder, file), text);
};
/** As an ES module that accepts itself. */
const accepting = (text) => `const exports = {};\n${text}export default exports;\nimport.meta.hot.accept();\n`;
const imports = [];
for (let n = 0; n < MODULES; n++) {
  await write(name(n), accepting(module(n)));
  imports.push(`import n${n} from '/${name(n)}';`);
}
await write('index.html', '<!doctype html><html><body><script type="module" src="/main.js"></script></body></html>\n');
await write('main.js', `${imports.join('\n')}\nwindow.started = [${Array.from({ length: MODULES }, (_, n) => `n${n}`)}].length;\n`);
const child = spawn(process.execPath, [path.join(VITE, 'bin/vite.js'), '--port', '0', '--host', '127.0.0.1'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  let said = '';
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      // Without its colours.
      said = `${said}${text}`.replace(/\x1b\[[\d;]*m/g, '');
      const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) resolve(found[0]);
    });
    child.once('exit', (code) => reject(new Error(`Vite ended with ${code}:\n${said}`)));
  });
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction((count) => window.started === count, MODULES, { timeout: 120_000 });
  const { whole } = await edits(page, (file, text) => write(file, accepting(text)));
  report('Vite', whole);
} finally {
  await browser.close();
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await fs.rm(folder, { recursive: true, force: true });
}
