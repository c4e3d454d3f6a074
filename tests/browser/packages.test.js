// Packages from npm, an app for each: built in every way, and run in Chromium, where the app itself compares what it gets.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { build, serving } from '../book/programs.mjs';

const PACKAGES = resolve(import.meta.dirname, '../npm');

/** Environment and minifier. */
const WAYS = [
  ['development', 'off'],
  ['production', 'fast'],
  ['production', 'max'],
];

const VIEW = '<!doctype html><html><head><title>starting</title><link rel="icon" href="/icon.png"><SocketStream></head><body></body></html>';

/** Entries that need a `tsconfig.json`, with its `compilerOptions`. */
const TYPESCRIPT = {
  'lit-experimental.ts': { experimentalDecorators: true, useDefineForClassFields: false },
  'preact-configured.tsx': { jsx: 'react-jsx', jsxImportSource: 'preact', paths: { '~/*': ['./app/client/*'] } },
};

/** What Vue's bundles for bundlers say in development, which is no complaint. */
const CHATTER = /You are running a development build|Download the React DevTools|Lit is in dev mode/;

let work;
let browser;

before(async () => {
  if (!existsSync(join(PACKAGES, 'node_modules'))) throw new Error('tests/npm/node_modules is missing: scripts/setup-tests.sh installs it');
  work = mkdtempSync(join(tmpdir(), 'ssbuild-packages-'));
  symlinkSync(join(PACKAGES, 'node_modules'), join(work, 'node_modules'));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

/** Writes the app around one entry. */
function makeApp(entry, name, minify) {
  const app = join(work, name);
  const client = join(app, 'app/client');
  for (const folder of [client, join(app, 'app/views'), join(app, 'config'), join(app, 'public')]) mkdirSync(folder, { recursive: true });
  cpSync(join(PACKAGES, 'apps', entry), join(client, `app${extname(entry)}`));
  cpSync(join(PACKAGES, 'shared'), client, { recursive: true });
  writeFileSync(join(app, 'app/views/app.html'), VIEW);
  // Chromium asks for an icon, and says so when there is none.
  writeFileSync(join(app, 'public/icon.png'), '');
  const compilerOptions = TYPESCRIPT[entry];
  if (compilerOptions) writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(join(app, 'config/app.json'), JSON.stringify({ build: { minify } }));
  return app;
}

for (const entry of readdirSync(join(PACKAGES, 'apps')).sort()) {
  test(`${entry} builds and runs`, async () => {
    for (const [env, minify] of WAYS) {
      const app = makeApp(entry, `${entry}-${minify}`, minify);
      const built = build(app, '--env', env);
      assert.doesNotMatch(built.stderr, /^error/m);
      await serving(join(app, 'dist'), async (address) => {
        const page = await browser.newPage();
        const complaints = [];
        page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
        page.on('console', (message) => {
          if (['error', 'warning'].includes(message.type()) && !CHATTER.test(message.text())) complaints.push(message.text());
        });
        await page.goto(address);
        await page.waitForFunction(() => /^(passed|failed)/.test(document.title), null, { timeout: 20_000 }).catch(() => {});
        assert.match(await page.title(), /^passed \d+$/, `${env}, ${minify}:\n${complaints.join('\n')}`);
        assert.deepEqual(complaints, [], `${env}, ${minify}`);
        await page.close();
      });
    }
  });
}

test('what is not used of a package is not in the bundle', () => {
  // Entry and the most bytes of minified code that it may take.
  const sizes = [
    ["import { debounce } from 'lodash-es'; export const init = () => debounce(() => {}, 1);", 8_000],
    ["import { addDays, format } from 'date-fns'; export const init = () => format(addDays(new Date(), 1), 'yyyy');", 30_000],
    ["import { map, of } from 'rxjs'; export const init = () => of(1).pipe(map((n) => n)).subscribe();", 30_000],
    ["import { chunk } from 'lodash-es'; import { Vector3 } from 'three'; export const init = () => chunk([new Vector3()], 1);", 260_000],
  ];
  for (const [n, [text, most]] of sizes.entries()) {
    const app = makeApp('small.js', `size-${n}`, 'fast');
    writeFileSync(join(app, 'app/client/app.js'), text);
    build(app, '--env', 'production');
    const assets = join(app, 'dist/public/assets');
    const [bundle] = readdirSync(assets).filter((name) => /^app-[0-9a-f]+\.js$/.test(name));
    const bytes = statSync(join(assets, bundle)).size;
    assert.ok(bytes < most, `${text} takes ${bytes} bytes`);
  }
});
