// What Autobahn's test suite found: compared with what is kept, or kept. `results.mjs REPORT SUITE [--write]`.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const KEPT = join(ROOT, 'conformance', 'autobahn.json');
/** What the suite says of a case that went as RFC 6455 wants, or as it permits. */
const PASSED = new Set(['OK', 'NON-STRICT', 'INFORMATIONAL']);

const [report, suite, mode] = process.argv.slice(2);
const [found] = Object.values(JSON.parse(readFileSync(report, 'utf8')));
const cases = Object.fromEntries(
  Object.keys(found)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((id) => [id, found[id].behavior === 'OK' ? found[id].behaviorClose : found[id].behavior]),
);
const failed = Object.entries(cases).filter(([, outcome]) => !PASSED.has(outcome));
for (const [id, outcome] of failed) console.log(`case ${id}: ${outcome}`);
const count = Object.keys(cases).length;

if (mode === '--write') {
  if (failed.length > 0) process.exit(1);
  const commit = execFileSync('git', ['describe', '--always', '--abbrev=12', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(KEPT, `${JSON.stringify({ suite, commit, date, cases }, null, 1)}\n`);
  execFileSync('node', [join(ROOT, 'tests', 'book', 'tables.mjs')]);
  console.log(`${count} cases are kept in conformance/autobahn.json`);
} else {
  const kept = JSON.parse(readFileSync(KEPT, 'utf8')).cases;
  const changed = Object.entries(cases).filter(([id, outcome]) => kept[id] !== outcome);
  for (const [id, outcome] of changed) console.log(`case ${id}: ${outcome}, and ${kept[id] ?? 'nothing'} before`);
  console.log(`${count} cases, ${failed.length} failed, ${changed.length} differ from conformance/autobahn.json`);
  process.exit(failed.length + changed.length > 0 ? 1 : 0);
}
