// The book against itself and against the sources: links, the table of contents, and the tables of codes, keys and limits.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { anchors, links, readPages } from './pages.mjs';
import { diagnosticCodes, errorCodes } from './sources.mjs';
import { expectedTables, presentTable } from './tables.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const BOOK = join(ROOT, 'book', 'src');
const pages = readPages(BOOK);

test('every link leads to a file, and every anchor to a heading', () => {
  const beside = readdirSync(ROOT).filter((file) => file.endsWith('.md'));
  const broken = [];
  for (const path of [...[...pages.keys()].map((page) => `book/src/${page}`), ...beside]) {
    for (const link of links(readFileSync(join(ROOT, path), 'utf8'))) {
      const [file, anchor] = link.split('#');
      const target = file ? posix.normalize(posix.join(posix.dirname(path), file)) : path;
      if (!existsSync(join(ROOT, target))) broken.push(`${path}: ${link}: there is no such file`);
      else if (anchor && !anchors(readFileSync(join(ROOT, target), 'utf8')).has(anchor)) broken.push(`${path}: ${link}: there is no such heading`);
    }
  }
  assert.deepEqual(broken, []);
});

test('the table of contents lists every page, once', () => {
  const listed = links(pages.get('SUMMARY.md'));
  const written = [...pages.keys()].filter((path) => path !== 'SUMMARY.md');
  assert.deepEqual([...listed].sort(), written);
});

for (const { page, name, lines } of expectedTables(ROOT)) {
  test(`the table "${name}" in ${page} says what the sources say`, () => {
    assert.deepEqual(presentTable(pages.get(page), name), lines, 'write it anew with: node tests/book/tables.mjs');
  });
}

test('every error code has a section that says what to do, and every section a code', () => {
  const sections = [...pages.get('reference/errors.md').matchAll(/^### (\S+)$/gm)].map(([, code]) => code);
  assert.deepEqual(sections, errorCodes(ROOT).map((code) => code.name));
});

test('every diagnostic has a section with its severity, its meaning and a remedy, and every section a code', () => {
  const [, ...sections] = pages.get('reference/diagnostics.md').split(/^## /m);
  const found = sections.map((section) => {
    const [name, , about, , ...remedy] = section.split('\n');
    return { name, about, remedy: remedy.join(' ').trim().length > 20 };
  });
  const wanted = diagnosticCodes(ROOT).map((code) => ({ name: code.name, about: `**${code.severity}.** ${code.about}`, remedy: true }));
  assert.deepEqual(found, wanted);
});

test('keys, limits, codes and diagnostics named in the prose exist', () => {
  const { keys, codes } = known();
  const wrong = [];
  for (const [path, text] of pages) {
    for (const [, name] of text.matchAll(/`((?:build|http|server|api|log|session|users|csp|limits)\.[a-z_.]+)`/g)) {
      if (!keys.has(name) && !OTHER_NAMES.has(name)) wrong.push(`${path}: ${name} is no configuration key`);
    }
    for (const [, name] of text.matchAll(/\(\S*errors\.md#([a-z_]+)\)/g)) {
      if (!codes.has(name)) wrong.push(`${path}: ${name} is no error code`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the measurements are of the versions that the benchmark would install now', () => {
  const text = presentTable(pages.get('operations/measurements.md'), 'compile', 'figures').join('\n');
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'benches/peers/package.json'), 'utf8'));
  // Those two are servers.
  const measured = Object.entries(dependencies).filter(([name]) => !['socket.io', 'ws'].includes(name));
  for (const [name, version] of measured) {
    const spoken = name === '@rspack/core' ? 'rspack' : name;
    assert.ok(text.toLowerCase().includes(`${spoken} ${version}`), `measured with another ${name} than ${version}: run benches/run --write`);
  }
  assert.match(text, /; \d{4}-\d{2}-\d{2}\./, 'the figures carry their date');
});

// Names of JavaScript and of the manifest that look like keys of the configuration.
const OTHER_NAMES = new Set(['session.authenticate', 'api.server']);

function known() {
  const keys = new Set();
  for (const { lines } of expectedTables(ROOT)) {
    for (const [, name] of lines.join('\n').matchAll(/^\| `([a-z_.]+)` \|/gm)) {
      const parts = name.split('.');
      parts.forEach((_, n) => keys.add(parts.slice(0, n + 1).join('.')));
    }
  }
  return { keys, codes: new Set(errorCodes(ROOT).map((code) => code.name)) };
}
