// Makes the real-input app in a folder: `node make-app.mjs TARGET_DIR`.
//
// The hand-written part is testdata/real; the packages are copied beside it, and app/client/modules.ts is written,
// which imports every source module of three and rxjs, and keeps all of them.
import { cpSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { packageFolder } from './packages.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Writes the app below `target`, which must not exist or be empty. Returns how many modules of each package it imports. */
export function makeApp(target) {
  if (existsSync(target) && readdirSync(target).length > 0) throw new Error(`${target} is not empty`);
  cpSync(join(ROOT, 'testdata', 'real'), target, { recursive: true });

  const three = copySources('three', target, (file) => file.endsWith('.js'));
  const rxjs = copySources('rxjs', target, (file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
  writeFileSync(join(target, 'app', 'client', 'modules.ts'), namespaces([...three, ...rxjs]));

  mkdirSync(join(target, 'lib', 'client'), { recursive: true });
  copyFileSync(join(packageFolder('jquery'), 'dist', 'jquery.js'), join(target, 'lib', 'client', '1.jquery.js'));
  copyFileSync(join(packageFolder('d3'), 'dist', 'd3.js'), join(target, 'lib', 'client', '2.d3.js'));
  cpSync(packageFolder('bootstrap'), join(target, 'node_modules', 'bootstrap'), { recursive: true });
  return { three: three.length, rxjs: rxjs.length };
}

/** Copies the wanted files of a package's `src` to `vendor/<name>/src`; returns their paths below the app, sorted. */
function copySources(name, target, wanted) {
  const from = join(packageFolder(name), 'src');
  const files = readdirSync(from, { recursive: true }).filter(wanted).sort();
  for (const file of files) {
    const to = join(target, 'vendor', name, 'src', file);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(from, file), to);
  }
  return files.map((file) => `vendor/${name}/src/${file.replaceAll('\\', '/')}`);
}

/** A module that imports each file under a number and exports all namespaces by path. */
function namespaces(files) {
  const specifier = (file) => `../../${file.replace(/\.ts$/, '')}`;
  const imports = files.map((file, n) => `import * as m${n} from '${specifier(file)}';`);
  const entries = files.map((file, n) => `  '${file}': m${n},`);
  return [...imports, '', 'export const modules: Record<string, object> = {', ...entries, '};', ''].join('\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const target = process.argv[2];
  if (!target) {
    console.error('usage: node make-app.mjs TARGET_DIR');
    process.exit(2);
  }
  const counts = makeApp(resolve(target));
  console.log(`${target}: ${counts.three} modules of three, ${counts.rxjs} of rxjs`);
}
