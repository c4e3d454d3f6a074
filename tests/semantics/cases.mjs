// Cases in files: each starts with `#### name` and holds files, each started by `//// name`; without such a line the case is one
// ES module, or with `(cjs)` in its name one CommonJS module. The first file is the entry.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = ['testdata/semantics', 'script/tests/run/cases'];

/** All cases that Node can run as they are: name, and files by name. */
export function readCases() {
  const texts = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).sort().map((file) => readFileSync(join(ROOT, folder, file), 'utf8')),
  );
  const cases = texts.flatMap((text) => text.split(/^#### /m).slice(1).map(parse));
  // Where a case says what it expects, Node cannot run it: TypeScript, JSX, and mixtures that only bundlers allow.
  return cases.filter(({ files }) => !('expect' in files));
}

function parse(text) {
  const end = text.indexOf('\n');
  const name = text.slice(0, end).trim();
  const body = text.slice(end + 1);
  if (!body.startsWith('////')) {
    return { name, files: { [name.endsWith('(cjs)') ? 'main.cjs' : 'main.mjs']: body } };
  }
  const parts = body.split(/^\/\/\/\/ /m).slice(1);
  return { name, files: Object.fromEntries(parts.map((part) => part.split(/\n([^]*)/, 2))) };
}

/** Writes each case into a folder of its own; the paths of the entries. */
export function writeCases(cases, folder) {
  return cases.map(({ files }, n) => {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, String(n), name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return join(folder, String(n), Object.keys(files)[0]);
  });
}
