// The page of the book that shows figures.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PAGE = join(dirname(fileURLToPath(import.meta.url)), '..', 'book/src/operations/measurements.md');

/** Puts figures into the book, between their marks. */
export function writeFigures(name, text) {
  const [open, close] = [`<!-- figures: ${name} -->`, '<!-- end -->'];
  const before = readFileSync(PAGE, 'utf8');
  const start = before.indexOf(open);
  const end = before.indexOf(close, start);
  if (start < 0 || end < 0) throw new Error(`${PAGE} has no place for the figures: ${open} … ${close}`);
  writeFileSync(PAGE, `${before.slice(0, start)}${open}\n\n${text}\n\n${before.slice(end)}`);
}
