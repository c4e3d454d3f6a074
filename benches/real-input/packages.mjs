// Where the real packages are; installs them, in the exact versions of the lock, when they are not there yet.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const MANIFEST = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'));

/** Exact versions by package name, as in `package.json`. */
export const VERSIONS = MANIFEST.dependencies;

/** The folder of an installed package; installs all of them first when one is missing or of another version. */
export function packageFolder(name) {
  if (!Object.keys(VERSIONS).every(isInstalled)) install();
  return join(HERE, 'node_modules', name);
}

/** The native esbuild program, without the Node wrapper around it, which would cost it a process. */
export function esbuildBinary() {
  packageFolder('esbuild');
  const binary = join(HERE, 'node_modules', '@esbuild', `${process.platform}-${process.arch}`, 'bin', 'esbuild');
  if (!existsSync(binary)) throw new Error(`esbuild has no program for ${process.platform}-${process.arch} here: ${binary}`);
  return binary;
}

function isInstalled(name) {
  const file = join(HERE, 'node_modules', name, 'package.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === VERSIONS[name];
}

function install() {
  const npm = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: HERE, encoding: 'utf8' });
  if (npm.error) throw new Error(`cannot run npm: ${npm.error.message}`);
  if (npm.status !== 0) throw new Error(`npm ci in benches/real-input failed:\n${npm.stderr}`);
}
