// The real-input app (every source module of three and rxjs, jquery, d3, Bootstrap) builds, and works in Chromium.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { makeApp } from '../../benches/real-input/make-app.mjs';
import { VERSIONS } from '../../benches/real-input/packages.mjs';
import { build, serving } from '../book/programs.mjs';

test('real packages compile, and run in a browser', async () => {
  const work = mkdtempSync(join(tmpdir(), 'ssbuild-real-'));
  try {
    const app = join(work, 'app');
    const counts = makeApp(app);
    build(app);
    await serving(join(app, 'dist'), async (address) => {
      const browser = await chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        const errors = [];
        page.on('pageerror', (error) => errors.push(String(error)));
        page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
        await page.goto(address);
        await page.waitForSelector('html[data-smoke=done]', { timeout: 30_000 }).catch((error) => {
          throw new Error(`${error.message}\nerrors in the page:\n${errors.join('\n')}`);
        });
        assert.deepEqual(await page.evaluate(() => globalThis.realInput.results), {
          modules: counts.three + counts.rxjs,
          matrix: [[-2, 1, 3], [1, 2, 3], 1],
          geometry: [24, [3.741657]],
          pipeline: 'sum 35',
          jquery: [VERSIONS.jquery, 2, 'two'],
          d3: [VERSIONS.d3, ['40', '100']],
          bootstrap: ['rgb(121, 82, 179)', 'inline-block', 'relative', 'dotted'],
          server: 625,
        });
        assert.deepEqual(errors, []);
      } finally {
        await browser.close();
      }
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
