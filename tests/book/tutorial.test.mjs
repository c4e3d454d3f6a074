// The tutorial does what it says: each page's files are laid over those before, built and served, and its curl
// commands print what stands below them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeBlocks, readPages } from './pages.mjs';
import { build, serving } from './programs.mjs';

const TUTORIAL = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'book', 'src', 'tutorial');
const FILE_LANGUAGES = ['js', 'ts', 'json', 'html', 'scss', 'css'];

const work = mkdtempSync(join(tmpdir(), 'ssbuild-tutorial-'));
const app = join(work, 'talk');
after(() => rmSync(work, { recursive: true, force: true }));

for (const [page, text] of readPages(TUTORIAL)) {
  test(`tutorial/${page}`, async () => {
    const blocks = codeBlocks(text);
    const files = blocks.filter((block) => FILE_LANGUAGES.includes(block.language)).map(appFile);
    assert.ok(files.length > 0, 'a page of the tutorial has files');
    for (const file of files) {
      mkdirSync(dirname(join(app, file.path)), { recursive: true });
      writeFileSync(join(app, file.path), file.text);
    }
    build(app, '--deny', 'warnings');
    await serving(join(app, 'dist'), async (address) => {
      const index = await fetch(`${address}/`);
      assert.equal(index.status, 200);
      assert.match(await index.text(), /<script [^>]*src="\/assets\/app-[0-9a-f]+\.js"/);
      for (const { command, answer } of blocks.filter((block) => block.language === 'console').flatMap(commands)) {
        assert.equal(await shell(command.replaceAll('http://localhost:3000', address)), answer, command);
      }
    });
  });
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

async function shell(command) {
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [printed, failed] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (failed += text));
  const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${failed}`);
  return printed.trimEnd();
}
