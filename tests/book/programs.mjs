// The programs under test: `SSBUILD_BIN` and `SSSERVE_BIN`, else what `cargo build` made.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');

/** Path of `ssbuild` or `ssserve`. */
export function program(name) {
  const path = process.env[`${name.toUpperCase()}_BIN`] ?? join(TARGET, 'debug', name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`cargo build --workspace\``);
  return path;
}

/** Builds the app in `folder`; throws with the diagnostics when it has errors. */
export function build(folder, ...flags) {
  const run = spawnSync(program('ssbuild'), ['build', folder, ...flags], { encoding: 'utf8' });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`ssbuild ended with ${run.status ?? run.signal}:\n${run.stderr}${run.stdout}`);
  return run;
}

/** Serves a build on a free port, gives its address to `use`, and stops it again. */
export async function serving(dist, use) {
  const child = spawn(program('ssserve'), [dist, '--host', '127.0.0.1', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let printed = '';
  const address = new Promise((resolve, reject) => {
    const read = (text) => {
      printed += text;
      const match = printed.match(/http:\/\/(?:localhost|127\.0\.0\.1):\d+/);
      if (match) resolve(match[0]);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    ended.then(([code]) => reject(new Error(`ssserve ended with ${code} before it printed its address:\n${printed}`)));
  });
  try {
    return await use(await address);
  } catch (error) {
    throw new Error(`${error.message}\nssserve printed:\n${printed}`, { cause: error });
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
