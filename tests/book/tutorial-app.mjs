// The app of the tutorial, taken out of its pages.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeBlocks, readPages } from './pages.mjs';

const TUTORIAL = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'book', 'src', 'tutorial');
const FILE_LANGUAGES = ['js', 'ts', 'json', 'html', 'scss', 'css'];

/** The pages in order: name, files (`{path, text}`) and shell commands (`{command, answer}`). */
export function tutorialPages() {
  return [...readPages(TUTORIAL)].map(([name, text]) => {
    const blocks = codeBlocks(text);
    const files = blocks.filter((block) => FILE_LANGUAGES.includes(block.language)).map(appFile);
    assert.ok(files.length > 0, `${name} has files of the app`);
    return { name, files, commands: blocks.filter((block) => block.language === 'console').flatMap(commands) };
  });
}

/** Writes the files of a page into the app's folder, over those that are there. */
export function write(files, app) {
  for (const file of files) {
    mkdirSync(dirname(join(app, file.path)), { recursive: true });
    writeFileSync(join(app, file.path), file.text);
  }
}

/** A block's file: the path stands in a comment in its first line. */
function appFile({ language, text }) {
  const [first] = text.split('\n');
  const path = first.match(/^(?:\/\/|<!--|\/\*) ((?:app|lib|config|public)\/[\w./-]+)(?: -->| \*\/)?$/)?.[1];
  assert.ok(path, `a ${language} block of the tutorial begins with the path of its file, not with: ${first}`);
  return { path, text };
}

/** `$ command`, then what it prints. */
function commands({ text }) {
  return text.split(/^\$ /m).filter(Boolean).map((part) => {
    const [command, ...answer] = part.trimEnd().split('\n');
    return { command, answer: answer.join('\n') };
  });
}
