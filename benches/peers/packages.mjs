// The other tools, and the packages that all of them compile; installed, in exact versions, when they are not there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

/** Exact versions by package name, as in `package.json`. */
export const VERSIONS = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')).dependencies;

let tried = false;

/** The folder of an installed package. */
export function packageFolder(name) {
  if (!isInstalled(name) && !tried) install();
  if (!isInstalled(name)) throw new Error(`${name} ${VERSIONS[name]} cannot be installed`);
  return join(HERE, 'node_modules', name);
}

/** A file of a package that is a program or a part of one, or nothing when this machine cannot have it. */
export function program(path) {
  const file = join(HERE, 'node_modules', path);
  if (!existsSync(file) && !tried) install();
  return existsSync(file) ? file : null;
}

function isInstalled(name) {
  const file = join(HERE, 'node_modules', name, 'package.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === VERSIONS[name];
}

function install() {
  tried = true;
  // Without a lock: the one that npm writes lacks the tools' packages for other systems, and is then refused by `npm ci`.
  const npm = spawnSync('npm', ['install', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund'], { cwd: HERE, encoding: 'utf8' });
  if (npm.error) throw new Error(`cannot run npm: ${npm.error.message}`);
  if (npm.status !== 0) throw new Error(`npm install in benches/peers failed:\n${npm.stderr}`);
}
