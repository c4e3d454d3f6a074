// What the reader of the tutorial ends up with, in browsers: each page's app starts, and the last one is a chat.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { build, serving } from '../book/programs.mjs';
import { tutorialPages, write } from '../book/tutorial-app.mjs';

/** What is done with the app of each page; `open` gives a page of a new browser. */
const SCENES = {
  '1-four-files.md': async ({ open }) => {
    const page = await open();
    await page.locator('#talk', { hasText: '25 × 25 = 625' }).waitFor();
  },
  '2-messages.md': async ({ open }) => {
    const [here, there] = [await open(), await open()];
    await there.locator('#say').waitFor();
    await here.fill('[name=text]', ' ');
    await here.click('#say button');
    await here.locator('#problem', { hasText: 'Write something first.' }).waitFor();
    await here.fill('[name=text]', 'hello');
    await here.click('#say button');
    for (const page of [here, there]) await page.locator('#messages li', { hasText: 'hello' }).waitFor();
  },
  '3-login-and-rooms.md': chat,
  '4-going-live.md': chat,
};

async function chat({ open }) {
  const [ada, grace, stranger] = [await open(), await open(), await open()];
  await enter(ada, 'ada', 'wrong');
  await ada.locator('#refused', { hasText: 'That is not the word.' }).waitFor();
  await enter(ada, 'ada', 'lovelace');
  await enter(grace, 'grace', 'hopper');
  for (const page of [ada, grace]) await page.locator('#say').waitFor();
  await joined(grace);
  await say(ada, 'tea?');
  await grace.locator('#messages li', { hasText: 'ada: tea?' }).waitFor();
  assert.equal(await stranger.evaluate(() => globalThis.SS.server.rooms.say('kitchen', 'let me in').catch((error) => error.code)), 'not_authenticated');
  await ada.reload();
  await ada.locator('#say').waitFor();
  await joined(ada);
  await say(grace, 'yes');
  await ada.locator('#messages li', { hasText: 'grace: yes' }).waitFor();
  assert.equal(await stranger.locator('#messages').count(), 0);
}

async function enter(page, username, password) {
  await page.fill('[name=username]', username);
  await page.fill('[name=password]', password);
  await page.click('#enter button');
}

/** The page shows its form before it has joined; a second join answers after the first. */
async function joined(page) {
  assert.deepEqual(await page.evaluate(() => globalThis.SS.server.rooms.join('kitchen')), ['room:kitchen']);
}

async function say(page, text) {
  await page.fill('[name=text]', text);
  await page.click('#say button');
}

test('the app of the tutorial, page by page', async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'ssbuild-tutorial-'));
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const app = join(work, 'talk');
    for (const { name, files } of tutorialPages()) {
      await t.test(name, async () => {
        write(files, app);
        build(app);
        await serving(join(app, 'dist'), async (address) => {
          const errors = [];
          const open = async () => {
            const page = await (await browser.newContext()).newPage();
            page.setDefaultTimeout(30_000);
            page.on('pageerror', (error) => errors.push(error.message));
            await page.goto(address);
            await page.waitForFunction(() => globalThis.SS?.started);
            return page;
          };
          await SCENES[name]({ open });
          assert.deepEqual(errors, []);
        });
      });
    }
  } finally {
    await browser.close();
    rmSync(work, { recursive: true, force: true });
  }
});
