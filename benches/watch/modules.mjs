// An app of 1,000 modules, and edits of them one after the other.

export const MODULES = 1000;
const EDITS = Number(process.env.EDITS ?? 60);
const WARM = 5;

/** A module that does a little, and names its neighbour by its place in the tree. */
export function module(n) {
  const body = Array.from({ length: 12 }, (_, i) => `exports.f${i} = function (a, b) { return a * ${i} + b * ${n}; };`);
  return `${body.join('\n')}\nexports.next = function () { return SS.client.m${Math.floor(((n + 1) % MODULES) / 100)}.n${(n + 1) % MODULES}; };\n`;
}

export const name = (n) => `app/client/m${Math.floor(n / 100)}/n${n}.js`;

/** Saves modules that report themselves, one when the one before has; the times from saved to running, in milliseconds. */
export async function edits(page, write, after = async () => {}) {
  let heard = () => {};
  await page.exposeBinding('swapped', (_, n) => heard(n, performance.now()));
  const whole = [];
  const builds = [];
  for (let edit = 0; edit < EDITS + WARM; edit++) {
    const n = (edit * 37) % MODULES;
    const swapped = new Promise((resolve) => {
      heard = (which, at) => which === edit && resolve(at);
    });
    const started = performance.now();
    await write(name(n), `${module(n)}if (window.swapped) window.swapped(${edit});\n`);
    const at = await swapped;
    const build = await after();
    if (edit < WARM) continue;
    whole.push(at - started);
    builds.push(build);
  }
  return { whole, builds };
}

/** Prints median and p95. */
export function report(what, times) {
  const at = (part) => times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(0);
  console.log(`${what.padEnd(24)} ${times.length} edits   median ${at(0.5)} ms   p95 ${at(0.95)} ms`);
}
