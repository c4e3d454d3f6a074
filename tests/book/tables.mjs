// The tables in the book that repeat a table in the sources. `node tests/book/tables.mjs` writes them anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { autobahn, configKeys, errorCodes, limits, wireCases } from './sources.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Page and name of each table, with its lines as the sources want them. */
export function expectedTables(root) {
  return [
    {
      page: 'reference/configuration.md',
      name: 'keys',
      lines: table(['key', 'default', 'meaning'], configKeys(root).map((key) => [`\`${key.name}\``, `\`${key.value}\``, key.about])),
    },
    {
      page: 'reference/configuration.md',
      name: 'limits',
      lines: table(['key', 'default', 'meaning'], limits(root).map((limit) => [`\`limits.${limit.name}\``, limit.value.toLocaleString('en'), limit.about])),
    },
    {
      page: 'reference/errors.md',
      name: 'errors',
      lines: table(
        ['code', 'again?', 'HTTP', 'meaning'],
        errorCodes(root).map((code) => [`[\`${code.name}\`](#${code.name})`, code.retryable ? 'yes' : 'no', code.status, code.about]),
      ),
    },
    {
      page: 'internals/conformance.md',
      name: 'autobahn',
      lines: table(['cases', 'what they try', 'run', 'passed', 'of these not strict', 'of these informational'], autobahn(root)),
    },
    { page: 'internals/conformance.md', name: 'wire', lines: table(['', 'what is tried', 'the sentence'], wireCases(root)) },
    {
      page: 'reference/errors.md',
      name: 'at a limit',
      lines: table(['limit', 'what happens at it'], limits(root).map((limit) => [`\`limits.${limit.name}\``, limit.at])),
    },
  ];
}

/** The lines between the marks of a table, or of something else, in the text of a page. */
export function presentTable(text, name, kind = 'table') {
  const { start, end } = bounds(text, name, kind);
  return text.slice(start, end).split('\n').filter(Boolean);
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function bounds(text, name, kind = 'table') {
  const open = `<!-- ${kind}: ${name} -->`;
  const start = text.indexOf(open);
  const end = text.indexOf('<!-- end -->', start);
  if (start < 0 || end < 0) throw new Error(`the page has no table between ${open} and <!-- end -->`);
  return { start: start + open.length, end };
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  for (const { page, name, lines } of expectedTables(ROOT)) {
    const file = join(ROOT, 'book', 'src', page);
    const text = readFileSync(file, 'utf8');
    const { start, end } = bounds(text, name);
    writeFileSync(file, `${text.slice(0, start)}\n\n${lines.join('\n')}\n\n${text.slice(end)}`);
  }
}
