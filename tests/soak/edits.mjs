// A day's work in a short time: `ssbuild watch` with an open page, one random edit after the other, for hours. What the
// process and the page hold is written down meanwhile, and must not grow.
//
// SSBUILD_SOAK_MINUTES (120) says how long, SSBUILD_SOAK_LOG where the table goes, SSBUILD_BIN which program.

import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watch } from '../browser/watch.js';

const MINUTES = Number(process.env.SSBUILD_SOAK_MINUTES ?? 120);
const LOG = process.env.SSBUILD_SOAK_LOG ?? path.join(os.tmpdir(), 'ssbuild-soak.tsv');
const SAMPLE_MS = 30_000;
/** Nobody saves faster. */
const PAUSE_MS = 300;
/** An edit that leads to no build in this time was one that changes nothing. */
const BUILD_MS = 15_000;

let seed = Number(process.env.SSBUILD_SOAK_SEED ?? 1);
function below(most) {
  // Numerical Recipes' generator; the high bits are the good ones.
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * most);
}
const of = (list) => list[below(list.length)];

const counter = (n) => `let n = 0;
SS.events.on('tick', () => { n += ${n}; });
exports.value = () => n;
exports.hot = (previous) => { n = previous.value(); };
exports.dispose = () => {};
`;
const page = (n) => `<!doctype html><html><head><title>${n}</title><SocketStream></head><body><p id="out"></p></body></html>\n`;
const server = (n) => `exports.actions = { word: function (cb) { SS.publish.broadcast('tick'); cb(${n}); } };\n`;
const module = (n) => `exports.f = function (a) { return a + ${n}; };\n`;

const files = {
  'app/views/app.html': page(0),
  'app/views/rows/row.html': '<li>0</li>\n',
  'app/css/app.scss': "@import 'colors';\nbody { color: $ink; }\n",
  'app/css/_colors.scss': '$ink: rgb(1, 2, 3);\n',
  'app/client/app.js': 'exports.init = function () { SS.client.counter.value(); };\n',
  'app/client/counter.js': counter(1),
  'app/client/user.js': "import { f } from './m/n0';\nexport const describe = () => f(1);\n",
  'app/shared/sum.js': module(0),
  'app/server/app.js': server(0),
};
for (let n = 0; n < 60; n++) files[`app/client/m/n${n}.js`] = module(n);

/** Kind of edit to how often in a hundred, and what is done. */
const EDITS = {
  style: [15, (n) => ({ 'app/css/_colors.scss': `$ink: rgb(${n % 256}, ${n % 7}, 3); /* ${n} */\n` })],
  module: [30, (n) => ({ [`app/client/m/n${below(60)}.js`]: module(n) })],
  hot: [15, (n) => ({ 'app/client/counter.js': counter(n) })],
  shared: [6, (n) => ({ 'app/shared/sum.js': module(n) })],
  template: [6, (n) => ({ 'app/views/rows/row.html': `<li>${n}</li>\n` })],
  server: [10, (n) => ({ 'app/server/app.js': server(n) })],
  broken: [8, (n) => ({ [of(['app/client/counter.js', 'app/server/app.js', 'app/css/app.scss'])]: `}{ ${n}` })],
  created: [6, (n) => ({ [`app/client/new/n${below(20)}.js`]: module(n) })],
  removed: [3, () => 'app/client/new'],
  page: [1, (n) => ({ 'app/views/app.html': page(n) })],
};

function draw() {
  let at = below(100);
  for (const [kind, [often, make]] of Object.entries(EDITS)) if ((at -= often) < 0) return [kind, make];
  throw new Error('the shares are a hundred');
}

/** Memory in MiB, threads and open files of a process. */
async function held(pid) {
  const status = await fs.readFile(`/proc/${pid}/status`, 'utf8');
  const of = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
  return { rss: of('VmRSS') / 1024, threads: of('Threads'), files: (await fs.readdir(`/proc/${pid}/fd`)).length };
}

/** Size of a folder in MiB, of which files and folders come and go meanwhile. */
async function size(folder) {
  let bytes = 0;
  const list = () => fs.readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of await list().catch(list).catch(list)) {
    if (entry.isFile()) bytes += (await fs.stat(path.join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes / 2 ** 20;
}

const cleanups = [];
const samples = [];
try {
  const { app, write, built, page: tab, child } = await watch({ after: (fn) => cleanups.push(fn) }, files);
  const cdp = await tab.context().newCDPSession(tab);
  await cdp.send('Performance.enable');
  await fs.writeFile(LOG, 'minute\tedits\trss_mib\tthreads\tfiles\tdisk_mib\tpage_heap_mib\tpage_nodes\tpage_listeners\n');
  const started = Date.now();
  const minute = () => (Date.now() - started) / 60_000;
  let edits = 0;
  async function sample() {
    await cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await cdp.send('Performance.getMetrics');
    const of = (name) => metrics.find((metric) => metric.name === name).value;
    const one = {
      minute: minute(),
      edits,
      ...(await held(child.pid)),
      disk: await size(path.join(app, '.ssbuild')),
      heap: of('JSHeapUsedSize') / 2 ** 20,
      nodes: of('Nodes'),
      listeners: of('JSEventListeners'),
    };
    samples.push(one);
    await fs.appendFile(LOG, `${Object.values(one).map((value) => Number(value.toFixed(1))).join('\t')}\n`);
  }
  let mend = null;
  let sampled = 0;
  let pending = built();
  while (minute() < MINUTES) {
    edits += 1;
    if (mend) {
      await write(mend, files[mend] + `/* ${edits} */\n`);
      mend = null;
    } else {
      const [kind, make] = draw();
      const edit = make(edits);
      if (typeof edit === 'string') {
        // What is not there cannot be removed; nothing would be built.
        if (await fs.rm(path.join(app, edit), { recursive: true }).then(() => false, () => true)) continue;
      } else for (const [name, text] of Object.entries(edit)) await write(name, text);
      if (kind === 'broken') mend = Object.keys(edit)[0];
    }
    const late = new AbortController();
    const line = await Promise.race([pending, sleep(BUILD_MS, null, { signal: late.signal }).catch(() => null)]);
    late.abort();
    if (line) pending = built();
    await sleep(PAUSE_MS);
    // The page lives: its socket carries calls, whatever was done to it. During a reload there is nobody to ask.
    if (edits % 20 === 0) await tab.evaluate(() => window.SS.server.app.word()).catch(() => {});
    if (Date.now() - sampled > SAMPLE_MS) {
      sampled = Date.now();
      await sample().catch((error) => console.error(`no sample at edit ${edits}: ${error.message}`));
    }
  }
  await tab.waitForFunction(() => window.SS.started);
  assert.equal(typeof (await tab.evaluate(() => window.SS.server.app.word())), 'number', 'the page still talks to the server');
} finally {
  for (const cleanup of cleanups) await cleanup();
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const part = (from, to, key) => median(samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to)).map((one) => one[key]));
let leaks = 0;
console.log(`${samples.at(-1).edits} edits in ${MINUTES} minutes; the table is in ${LOG}`);
// The first quarter fills caches. What comes later may waver, not grow.
for (const [key, slack] of [['rss', 24], ['threads', 2], ['files', 4], ['disk', 24], ['heap', 3], ['nodes', 200], ['listeners', 20]]) {
  const [before, after] = [part(0.25, 0.5, key), part(0.75, 1, key)];
  const grew = after > before * 1.1 + slack;
  leaks += grew ? 1 : 0;
  console.log(`${key.padEnd(10)} median of the second quarter ${before.toFixed(1)}, of the last ${after.toFixed(1)}${grew ? '   GREW' : ''}`);
}
process.exitCode = leaks ? 1 : 0;
