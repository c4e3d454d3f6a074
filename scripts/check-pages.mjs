// The pages beside the book: every relative link in them leads somewhere. The book's own are tests/book.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { anchors, links } from '../tests/book/pages.mjs';

const ROOT = join(import.meta.dirname, '..');

for (const page of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']) {
  test(`every link of ${page} leads somewhere`, () => {
    const dead = links(readFileSync(join(ROOT, page), 'utf8')).filter((link) => {
      const [file, anchor] = link.split('#');
      const target = join(ROOT, file || page);
      return !existsSync(target) || (anchor && !anchors(readFileSync(target, 'utf8')).has(anchor));
    });
    assert.deepEqual(dead, []);
  });
}
