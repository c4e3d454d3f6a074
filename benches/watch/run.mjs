// From saving a module to its new code running in an open page, on an app of 1,000 modules: median and p95.
// Wants the browser tests' packages (scripts/setup-tests.sh) and an optimised program: SSBUILD_BIN=target/release/ssbuild.

import { watch } from '../../tests/browser/watch.js';
import { MODULES, edits, module, name, report } from './modules.mjs';

const cleanups = [];
const t = { after: (fn) => cleanups.push(fn) };
const files = {
  'app/views/app.html': '<!doctype html><html><head><SocketStream></head><body></body></html>\n',
  'app/client/app.js': 'exports.init = function () {};\n',
  'app/server/app.js': 'exports.actions = { square: function (n, cb) { cb(n * n); } };\n',
};
for (let n = 0; n < MODULES; n++) files[name(n)] = module(n);

try {
  const { page, write, built } = await watch(t, files);
  const { whole, builds } = await edits(page, write, async () => (await built()).elapsed_ms);
  report('ssbuild watch', whole);
  report('of which the build', builds);
} finally {
  for (const cleanup of cleanups) await cleanup();
}
