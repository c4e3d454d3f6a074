// The pages of the book as text: headings, links, code blocks.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every page below `folder`: path with `/` to text, sorted. */
export function readPages(folder) {
  const files = readdirSync(folder, { recursive: true }).map((file) => file.replaceAll('\\', '/'));
  return new Map(files.filter((file) => file.endsWith('.md')).sort().map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

/** Fenced code blocks, in order: the language after the fence, and the text. */
export function codeBlocks(page) {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));
}

/** Anchors of a page's headings, made as mdBook makes them. */
export function anchors(page) {
  const seen = new Map();
  return new Set(
    withoutBlocks(page)
      .split('\n')
      .filter((line) => /^#{1,6} /.test(line))
      .map((line) => {
        const slug = line.replace(/^#+ /, '').trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
        const before = seen.get(slug) ?? 0;
        seen.set(slug, before + 1);
        return before === 0 ? slug : `${slug}-${before}`;
      }),
  );
}

/** Targets of the links and images of a page that are not on another host. */
export function links(page) {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target));
}

/** The page without its code blocks. */
function withoutBlocks(page) {
  return page.replace(/^```[\s\S]*?^```$/gm, '');
}

/** The page without any code. */
function prose(page) {
  return withoutBlocks(page).replace(/`[^`\n]*`/g, '');
}
