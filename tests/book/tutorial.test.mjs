// The tutorial does what it says: each page's files are laid over those before, built and served, and its curl
// commands print what stands below them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build, serving } from './programs.mjs';
import { tutorialPages, write } from './tutorial-app.mjs';

const work = mkdtempSync(join(tmpdir(), 'ssbuild-tutorial-'));
const app = join(work, 'talk');
after(() => rmSync(work, { recursive: true, force: true }));

for (const page of tutorialPages()) {
  test(`tutorial/${page.name}`, async () => {
    write(page.files, app);
    build(app, '--deny', 'warnings');
    await serving(join(app, 'dist'), async (address) => {
      const index = await fetch(`${address}/`);
      assert.equal(index.status, 200);
      assert.match(await index.text(), /<script [^>]*src="\/assets\/app-[0-9a-f]+\.js"/);
      for (const { command, answer } of page.commands) {
        assert.equal(await shell(command.replaceAll('http://localhost:3000', address)), answer, command);
      }
    });
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
