// From saving a module to its new code running in an open page, on an app of 1,000 modules: median and p95.
// Wants the browser tests' packages (scripts/setup-tests.sh) and an optimised program: SSBUILD_BIN=target/release/ssbuild.

import { watch } from '../../tests/browser/watch.js';

const MODULES = 1000;
const EDITS = Number(process.env.EDITS ?? 60);
const WARM = 5;

const cleanups = [];
const t = { after: (fn) => cleanups.push(fn) };

/** A module that does a little, and names its neighbour by its place in the tree. */
function module(n) {
  const body = Array.from({ length: 12 }, (_, i) => `exports.f${i} = function (a, b) { return a * ${i} + b * ${n}; };`);
  return `${body.join('\n')}\nexports.next = function () { return SS.client.m${Math.floor(((n + 1) % MODULES) / 100)}.n${(n + 1) % MODULES}; };\n`;
}

const name = (n) => `app/client/m${Math.floor(n / 100)}/n${n}.js`;
const files = {
  'app/views/app.html': '<!doctype html><html><head><SocketStream></head><body></body></html>\n',
  'app/client/app.js': 'exports.init = function () {};\n',
  'app/server/app.js': 'exports.actions = { square: function (n, cb) { cb(n * n); } };\n',
};
for (let n = 0; n < MODULES; n++) files[name(n)] = module(n);

try {
  const { page, write, built } = await watch(t, files);
  let heard = () => {};
  await page.exposeBinding('swapped', (_, n) => heard(n, performance.now()));
  const whole = [];
  const builds = [];
  for (let edit = 0; edit < EDITS + WARM; edit++) {
    const n = (edit * 37) % MODULES;
    const text = `${module(n)}if (window.swapped) window.swapped(${edit});\n`;
    const swapped = new Promise((resolve) => {
      heard = (which, at) => which === edit && resolve(at);
    });
    const started = performance.now();
    await write(name(n), text);
    const at = await swapped;
    const { elapsed_ms } = await built();
    if (edit < WARM) continue;
    whole.push(at - started);
    builds.push(elapsed_ms);
  }
  const at = (list, part) => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))].toFixed(0);
  console.log(`${MODULES} modules, ${EDITS} edits`);
  console.log(`saved to swapped   median ${at(whole, 0.5)} ms   p95 ${at(whole, 0.95)} ms`);
  console.log(`of which the build median ${at(builds, 0.5)} ms   p95 ${at(builds, 0.95)} ms`);
} finally {
  for (const cleanup of cleanups) await cleanup();
}
