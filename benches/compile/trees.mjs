// The two trees of modules that are compiled: as an app for ssbuild, and with one entry for the others. Nothing may be left out by
// any of them: the entry imports the namespace of every module and keeps all of them reachable.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VERSIONS, packageFolder } from '../peers/packages.mjs';

const isScript = (file) => file.endsWith('.js');
const isTypeScript = (file) => file.endsWith('.ts') && !file.endsWith('.d.ts');
const SMALL = [
  { name: 'three', folder: 'src', wanted: isScript },
  { name: 'rxjs', folder: 'src', wanted: isTypeScript },
];
const LARGE = [
  ...SMALL,
  { name: 'lodash-es', folder: '', wanted: (file) => isScript(file) && !file.includes('/') },
  { name: 'underscore', folder: 'modules', wanted: isScript },
  { name: '@babylonjs/core', folder: '', wanted: isScript },
];

/** Each tree by its number of modules. */
export const TREES = { 1008: SMALL, 5206: LARGE };

/** What is compiled, and how: environments of the app, and flags of the others. */
export const MODES = {
  'minified, with maps': { env: 'small-maps', build: { minify: 'fast', maps: 'private', compress: 'off' }, minify: true, maps: true },
  'minified, without maps': { env: 'small', build: { minify: 'fast', maps: 'off', compress: 'off' }, minify: true, maps: false },
  'as written, without maps': { env: 'plain', build: { minify: 'off', maps: 'off', compress: 'off' }, minify: false, maps: false },
};

/** Writes the tree as an app; returns what is in it. */
export function makeTree(app, modules) {
  const files = TREES[modules].flatMap(({ name, folder, wanted }) => copy(name, folder, wanted, app));
  if (files.length !== Number(modules)) throw new Error(`the tree has ${files.length} modules, not ${modules}`);
  const imports = files.map((file, n) => `import * as m${n} from '../../${file.replace(/\.ts$/, '')}';`);
  const members = files.map((file, n) => `  '${file}': m${n},`);
  const write = (path, text) => {
    mkdirSync(dirname(join(app, path)), { recursive: true });
    writeFileSync(join(app, path), text);
  };
  write('app/client/app.ts', [...imports, '', 'export const modules: Record<string, object> = {', ...members, '};', ''].join('\n'));
  write('app/views/app.html', '<!doctype html>\n<html><head><SocketStream></head><body></body></html>\n');
  // Some modules have a half for Node.js, which asks for these and does not run in a browser.
  write('package.json', `${JSON.stringify({ private: true, browser: { crypto: false, fs: false, path: false } })}\n`);
  for (const { env, build } of Object.values(MODES)) write(`config/environments/${env}.json`, `${JSON.stringify({ build })}\n`);
  const packages = TREES[modules].map(({ name }) => `${name} ${VERSIONS[name]}`).join(', ');
  return { entry: join(app, 'app/client/app.ts'), packages, edited: join(app, 'vendor/three/src/math/MathUtils.js') };
}

/** Copies the wanted files of a package to `vendor`; returns their paths below the app, sorted. */
function copy(name, folder, wanted, app) {
  const from = join(packageFolder(name), folder);
  const files = readdirSync(from, { recursive: true }).filter(wanted).sort();
  for (const file of files) {
    const to = join(app, 'vendor', name, folder, file);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(from, file), to);
  }
  return files.map((file) => join('vendor', name, folder, file));
}

/** Changes what one module does, each time in another way. */
export function edit(file) {
  const text = readFileSync(file, 'utf8').replace(/\nexport const EDITION = \d+;\n$/, '');
  edition += 1;
  writeFileSync(file, `${text}\nexport const EDITION = ${edition};\n`);
}

let edition = 0;
