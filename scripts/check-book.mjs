// Every page of the book is in its table of contents, and every relative link in it, and in the pages beside it, leads somewhere.

import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import assert from 'node:assert/strict';

const ROOT = path.resolve(import.meta.dirname, '..');
const BOOK = path.join(ROOT, 'book/src');
const BESIDE = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map((name) => path.join(ROOT, name));

const pages = fs
  .readdirSync(BOOK, { recursive: true })
  .filter((name) => name.endsWith('.md'))
  .map((name) => path.join(BOOK, name))
  .sort();

/** The text without what is shown as code. */
function prose(file) {
  return fs
    .readFileSync(file, 'utf8')
    .replace(/^(```+|~~~+).*?^\1/gms, '')
    .replace(/`[^`\n]*`/g, (code) => (code.includes('](') ? '' : code));
}

/** Headings as mdBook and GitHub name them. */
function anchors(file) {
  const found = new Set();
  for (const [, heading] of prose(file).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    found.add(plain.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-'));
  }
  for (const [, id] of fs.readFileSync(file, 'utf8').matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

function deadLinks(file) {
  const dead = [];
  for (const [, target] of prose(file).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)) {
    if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
    const [name, anchor] = target.split('#');
    const to = name === '' ? file : path.resolve(path.dirname(file), decodeURI(name));
    if (!fs.existsSync(to)) dead.push(`${path.relative(ROOT, file)}: ${target} is not there`);
    else if (anchor && to.endsWith('.md') && !anchors(to).has(anchor)) {
      dead.push(`${path.relative(ROOT, file)}: ${target} names a heading that is not there`);
    }
  }
  return dead;
}

test('every page of the book is in its table of contents', () => {
  const contents = fs.readFileSync(path.join(BOOK, 'SUMMARY.md'), 'utf8');
  const listed = [...contents.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, name]) => path.resolve(BOOK, name));
  const missing = pages.filter((page) => !listed.includes(page) && path.basename(page) !== 'SUMMARY.md');
  assert.deepEqual(missing.map((page) => path.relative(BOOK, page)), []);
});

test('every link leads somewhere', () => {
  assert.ok(pages.length > 0, 'the book has pages');
  assert.deepEqual([...pages, ...BESIDE].flatMap(deadLinks), []);
});
