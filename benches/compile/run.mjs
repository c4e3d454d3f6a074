// Compiles two trees of modules with ssbuild and with other tools, in turns, and prints the tables that the book shows.
//
//   node benches/compile/run.mjs [--rounds 7] [--trees 1008,5206] [--modes small-maps,small,plain] [--only esbuild,Bun] [--ssbuild target/release/ssbuild] [--write]
//
// One machine is noisy, so in each round every program runs once, and ratios are taken round by round against esbuild's cold run. With
// --write the figures replace those in the book.
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tools } from '../peers/tools.mjs';
import { measure, output } from './process.mjs';
import { builtByOther, builtBySsbuild } from './outcome.mjs';
import { comparison, sizes } from './table.mjs';
import { MODES, TREES, edit, makeTree } from './trees.mjs';
import { writeFigures } from '../book.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    trees: { type: 'string', default: Object.keys(TREES).join(',') },
    modes: { type: 'string', default: Object.values(MODES).map(({ env }) => env).join(',') },
    only: { type: 'string' },
    ssbuild: { type: 'string', default: join(ROOT, 'target/release/ssbuild') },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds wants a number from 1, not ${options.rounds}`);
const ssbuild = resolve(options.ssbuild);
if (!existsSync(ssbuild)) throw new Error(`no ssbuild at ${ssbuild}: run \`cargo build --release\` first`);
const wanted = options.only?.split(',');
const others = tools().filter(({ name }) => name === 'esbuild' || !wanted || wanted.includes(name));
const missing = others.filter(({ command }) => !command);
const peers = others.filter(({ command }) => command);
if (peers[0]?.name !== 'esbuild') throw new Error('esbuild, which all are compared with, cannot be installed here');
/** A tool that takes many times as long runs in the first rounds only. */
const SLOW_ROUNDS = 2;

const [loadBefore] = loadavg();
const work = mkdtempSync(join(tmpdir(), 'ssbuild-bench-'));
try {
  const tables = [];
  const inputs = [];
  for (const modules of options.trees.split(',')) {
    const app = join(work, modules);
    const tree = makeTree(app, modules);
    inputs.push(`${Number(modules).toLocaleString('en')} modules: ${tree.packages}.`);
    for (const [title, mode] of Object.entries(MODES).filter(([, { env }]) => options.modes.split(',').includes(env))) {
      const main = title === Object.keys(MODES)[0];
      const { programs, outcomes } = run(app, tree, mode, main);
      tables.push(comparison(`${Number(modules).toLocaleString('en')} modules, ${title}`, programs));
      if (main) tables.push(sizes(outcomes));
    }
  }
  const rustc = output(['rustc', '--version']).trim().split(' ')[1];
  const versions = peers.map(({ name, version }) => `${name} ${version}`).join(', ');
  const head = [
    ...inputs,
    `${output([ssbuild, '--version']).trim()} (rustc ${rustc}, ${basename(dirname(ssbuild))} profile); ${versions}; Node.js ${process.versions.node}.`,
    ...missing.map(({ name, version }) => `${name} ${version} has no program for this machine and was not measured.`),
    `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${loadBefore.toFixed(1)} before the runs; ${rounds} rounds${slow()}; ${new Date().toISOString().slice(0, 10)}.`,
  ];
  const text = [head.join('\n'), ...tables].join('\n\n');
  console.log(text);
  if (options.write) writeFigures('compile', text);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** What is to be said of tools that run less often. */
function slow() {
  const names = peers.filter(({ slow }) => slow).map(({ name }) => name);
  return names.length > 0 && rounds > SLOW_ROUNDS ? `, ${SLOW_ROUNDS} of ${names.join(' and ')}` : '';
}

/** All programs in turns on one tree in one mode. With `warm`, ssbuild also builds what it has built before. */
function run(app, tree, mode, warm) {
  const out = join(work, 'out');
  const cache = join(app, '.ssbuild');
  const own = (to, ...flags) => [ssbuild, 'build', app, '--env', mode.env, '--out', to, '--quiet', ...flags];
  const clear = () => [out, cache].forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  // Everything before `command` is not measured.
  const programs = [
    { name: 'ssbuild', before: clear, command: own(out, '--no-cache'), weigh: () => builtBySsbuild(out) },
    ...peers.map(({ name, slow, command }) => ({
      name, slow, before: clear, command: command({ entry: tree.entry, out, minify: mode.minify, maps: mode.maps }), weigh: () => builtByOther(out),
    })),
  ];
  if (warm) {
    programs.splice(
      1, 0,
      { name: 'ssbuild, writing its cache', before: clear, command: own(out) },
      { name: 'ssbuild, output lost, cache kept', before: () => rmSync(out, { recursive: true, force: true }), command: own(out) },
      { name: 'ssbuild, nothing changed', before: () => {}, command: own(out) },
      { name: 'ssbuild, one module changed', before: () => edit(tree.edited), command: own(out) },
    );
  }
  for (const program of programs) program.runs = [];
  const outcomes = [];
  for (let round = -1; round < rounds; round += 1) {
    for (const program of programs) {
      if (program.slow && round >= SLOW_ROUNDS) continue;
      program.before();
      const figures = measure(program.command);
      // The first round fills the page cache and is not counted.
      if (round >= 0) program.runs.push(figures);
      else if (program.weigh) outcomes.push({ name: program.name, ...program.weigh() });
    }
  }
  clear();
  return { programs, outcomes };
}
