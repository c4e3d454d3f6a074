// Compiles the real-input app with ssbuild and with esbuild, in turns, and prints the table that the book shows.
//
//   node benches/compile/run.mjs [--pairs 7] [--ssbuild target/release/ssbuild] [--write]
//
// One machine is noisy, so the programs alternate (A B A B …) and the ratio is taken pair by pair. With --write the
// figures replace those in the book.
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeApp } from '../real-input/make-app.mjs';
import { VERSIONS, esbuildBinary } from '../real-input/packages.mjs';
import { measure, output } from './process.mjs';
import { builtByEsbuild, builtBySsbuild } from './outcome.mjs';
import { comparison, sizes } from './table.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values: options } = parseArgs({
  options: { pairs: { type: 'string', default: '7' }, ssbuild: { type: 'string', default: join(ROOT, 'target/release/ssbuild') }, write: { type: 'boolean', default: false } },
});
const pairs = Number(options.pairs);
if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs wants a number from 1, not ${options.pairs}`);
const ssbuild = resolve(options.ssbuild);
if (!existsSync(ssbuild)) throw new Error(`no ssbuild at ${ssbuild}: run \`cargo build --release\` first`);
const esbuild = esbuildBinary();

const [loadBefore] = loadavg();
const work = mkdtempSync(join(tmpdir(), 'ssbuild-bench-'));
try {
  const app = join(work, 'app');
  const counts = makeApp(app);
  // The same scripts beside a stylesheet that costs nothing: esbuild does not compile SCSS.
  const scriptsOnly = join(work, 'scripts-only');
  makeApp(scriptsOnly);
  writeFileSync(join(scriptsOnly, 'app/css/app.scss'), 'body { margin: 0; }\n');
  const out = join(work, 'out');

  const scripts = ['app/client/app.ts', 'lib/client/1.jquery.js', 'lib/client/2.d3.js'];
  const styles = ['node_modules/bootstrap/dist/css/bootstrap.css'];
  const CASES = [
    { title: 'Scripts, minified with maps', app: scriptsOnly, env: 'bench', given: scripts },
    { title: 'Scripts and styles, minified with maps', app, env: 'bench', given: [...scripts, ...styles] },
    { title: 'Scripts and styles, as they are deployed', app, env: 'production', given: [...scripts, ...styles] },
  ];

  const tables = [];
  const outcomes = [];
  for (const { title, app: folder, env, given } of CASES) {
    const ours = { name: 'ssbuild', runs: [], command: [ssbuild, 'build', folder, '--env', env, '--out', out, '--quiet', '--no-cache'] };
    const theirs = { name: 'esbuild', runs: [], command: esbuildCommand(folder, given) };
    for (let pair = -1; pair < pairs; pair += 1) {
      for (const program of [ours, theirs]) {
        rmSync(out, { recursive: true, force: true });
        const run = measure(program.command);
        // The first pair fills the page cache and is not counted.
        if (pair >= 0) program.runs.push(run);
        else if (env === 'production') {
          outcomes.push({ name: program.name, ...(program === ours ? builtBySsbuild(out) : builtByEsbuild(out)) });
        }
      }
    }
    tables.push(comparison(title, ours, theirs));
  }

  const rustc = output(['rustc', '--version']).trim().split(' ')[1];
  const paragraphs = [
    [
      `Input: ${counts.three} modules of three ${VERSIONS.three}, ${counts.rxjs} of rxjs ${VERSIONS.rxjs}, jquery ${VERSIONS.jquery}, d3 ${VERSIONS.d3}, Bootstrap ${VERSIONS.bootstrap}.`,
      `esbuild ${VERSIONS.esbuild}; ${output([ssbuild, '--version']).trim()} (rustc ${rustc}, ${basename(dirname(ssbuild))} profile).`,
      `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${loadBefore.toFixed(1)} before the runs; ${pairs} pairs; ${new Date().toISOString().slice(0, 10)}.`,
    ].join('\n'),
    ...tables,
    sizes(outcomes),
  ];
  const text = paragraphs.join('\n\n');
  console.log(text);
  if (options.write) write(text);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function esbuildCommand(folder, given) {
  const files = given.map((file) => join(folder, file));
  const flags = ['--bundle', '--minify', '--sourcemap', '--format=iife', '--global-name=app', '--log-level=error'];
  return [esbuild, ...files, ...flags, `--outbase=${folder}`, `--outdir=${join(work, 'out')}`];
}

/** Puts the figures into the book, between their marks. */
function write(text) {
  const page = join(ROOT, 'book/src/operations/measurements.md');
  const [open, close] = ['<!-- figures: compile -->', '<!-- end -->'];
  const before = readFileSync(page, 'utf8');
  const start = before.indexOf(open);
  const end = before.indexOf(close, start);
  if (start < 0 || end < 0) throw new Error(`${page} has no place for the figures: ${open} … ${close}`);
  writeFileSync(page, `${before.slice(0, start)}${open}\n\n${text}\n\n${before.slice(end)}`);
}
