// Puts the same load on ssserve, on both engines, and on other servers, in turns, and prints the tables that the book shows.
//
//   node benches/serve/run.mjs [--rounds 3] [--cases one,hundred-16] [--only node,bun] [--collect FILE] [--write]
//
// Each run starts its server anew, on a core of its own. With --collect the figures are added to those in a file, so that rounds can be
// made at several times; with --write the tables replace those in the book.
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeFigures } from '../book.mjs';
import { output } from '../compile/process.mjs';
import { ATTACKS, CASES } from './cases.mjs';
import { CORES, servers, start } from './servers.mjs';
import { attacks, costs, latencies, leaving, memory } from './table.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..');
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    cases: { type: 'string' },
    only: { type: 'string' },
    programs: { type: 'string', default: join(ROOT, 'target/release') },
    collect: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 0) throw new Error(`--rounds wants a number from 0, not ${options.rounds}`);
const [ssbuild, ssserve, load] = ['ssbuild', 'ssserve', 'ssbuild-load'].map((name) => {
  const path = join(options.programs, name);
  if (!existsSync(path)) throw new Error(`no ${name} in ${options.programs}: run \`benches/run\`, which builds it`);
  return path;
});
if (cpus().length < 2) throw new Error('two processors are needed: one for the server, one for the load');

const work = mkdtempSync(join(tmpdir(), 'ssbuild-serve-'));
try {
  const wanted = options.only?.split(',');
  const all = servers(ssserve, rounds > 0 ? build() : {}).filter(({ id }) => !wanted || wanted.includes(id));
  const running = all.filter(({ command }) => command);
  const engines = running.filter(({ dialect }) => dialect === 'ssserve');
  const asked = options.cases?.split(',');
  const chosen = [...CASES, ...ATTACKS].filter(({ id, group }) => !asked || asked.includes(id) || asked.includes(group));
  const known = options.collect && existsSync(options.collect) ? JSON.parse(readFileSync(options.collect, 'utf8')) : {};
  const figures = known.figures ?? {};
  const [loadBefore] = known.load ?? loadavg();
  for (let round = 0; round < rounds; round++) {
    for (const one of chosen) {
      if (one.group === 'attacks' && figures[one.id] && round > 0) continue;
      const turn = one.next || one.group === 'attacks' ? engines : running;
      for (let i = 0; i < turn.length; i++) {
        // Nobody always goes first.
        const server = turn[(i + round) % turn.length];
        const found = await run(server, one);
        ((figures[one.id] ??= {})[server.id] ??= []).push(found);
        console.error(`${one.id} ${server.id}: ${brief(found)}`);
      }
    }
    if (options.collect) writeFileSync(options.collect, JSON.stringify({ figures, load: [loadBefore] }));
  }
  const text = tables(figures, running, engines, loadBefore, all);
  console.log(text);
  if (options.write) writeFigures('serve', text);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The app, built for each engine. */
function build() {
  const app = join(work, 'app');
  cpSync(join(HERE, 'app'), app, { recursive: true });
  return Object.fromEntries(
    ['node', 'embedded'].map((env) => {
      const out = join(work, env);
      output([ssbuild, 'build', app, '--env', env, '--out', out, '--quiet']);
      return [env, out];
    }),
  );
}

/** One server under one load. */
async function run(server, one) {
  const state = mkdtempSync(join(work, 'state-'));
  const started = await start(server, { workers: one.workers, state });
  // Where those go whose server stops.
  const next = one.next ? await start(server, { state: mkdtempSync(join(work, 'state-')) }) : null;
  try {
    const command = ['-c', CORES.load, load, '--dialect', server.dialect, '--address', `127.0.0.1:${started.port}`, '--pid', `${started.pid}`, ...one.load, ...(next ? ['--to', `127.0.0.1:${next.port}`] : [])];
    const ran = spawnSync('taskset', command, { encoding: 'utf8' });
    if (ran.stderr) console.error(`${one.id} ${server.id}: ${ran.stderr.trim()}`);
    if (ran.error || ran.status !== 0) throw new Error(`${server.name} failed the case ${one.id}: ${ran.error?.message ?? ran.stderr}`);
    return JSON.parse(ran.stdout);
  } finally {
    await started.stop();
    await next?.stop();
  }
}

function brief(found) {
  if (found.arrived_peak !== undefined) return `at most ${found.arrived_peak} of ${found.operations} come in a second, ${found.last_ms} ms in all`;
  return found.bytes_each !== undefined
    ? `${Math.round(found.bytes_each)} bytes each`
    : `${found.cpu_us.toFixed(2)} us, ${Math.round(found.per_second)}/s, p50 ${Math.round(found.latency_us.p50)} p99 ${Math.round(found.latency_us.p99)} us`;
}

function tables(figures, running, engines, loadBefore, all) {
  const group = (name) => CASES.filter((one) => one.group === name);
  const versions = [`Node.js ${process.versions.node}`, ...running.filter(({ dialect }) => dialect !== 'ssserve').map(({ name }) => name)];
  const counts = Object.values(figures).flatMap((of) => Object.values(of).map((list) => list.length));
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const spread = fewest === most ? `${most}` : `${fewest} to ${most}`;
  const rustc = output(['rustc', '--version']).trim().split(' ')[1];
  return [
    [
      `${output([ssserve, '--version']).trim()} (rustc ${rustc}, release profile); ${versions.join(', ')}.`,
      ...all.filter(({ command }) => !command).map(({ name }) => `${name} has no program for this machine and was not measured.`),
      `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${loadBefore.toFixed(1)} before the runs; ${spread} rounds; ${new Date().toISOString().slice(0, 10)}.`,
    ].join('\n'),
    costs('Server CPU, µs per call of `square`', group('calls'), running, figures),
    costs('Server CPU, µs per call', group('handlers'), running, figures),
    latencies('2,000 calls a second on 100 connections', group('latency')[0], running, figures),
    costs('Server CPU, µs per event delivered to one of', group('broadcast'), running, figures),
    memory('Memory of 10,000 idle connections', group('memory')[0], running, figures),
    leaving(group('leaving')[0], engines, figures),
    attacks(ATTACKS, engines, figures),
  ].join('\n\n');
}
