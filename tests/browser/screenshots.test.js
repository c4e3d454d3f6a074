// The pages as a person sees them, saved to be looked at. What a machine can check of them is checked here.

import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { enter, hears, login, pill, say, stage } from './harness.js';

const FOLDER = process.env.SSBUILD_SCREENSHOTS ?? path.join(os.tmpdir(), 'ssbuild-screenshots');

const TALK = [
  ['bea', 'Morning all :sun:'],
  ['bea', 'Has anyone seen the good kettle?'],
  ['cleo', 'It is in the workshop. I was trying to find out why it sings in a minor key.'],
  ['ada', 'It does? I thought that was the radio.'],
  ['ada', 'Bring it back when it is happy again -> kitchen'],
  ['cleo', 'By four. My notes so far: https://example.com/kettle?key=minor'],
  ['bea', 'Take your time <3'],
  ['ada', 'I can help after lunch, if you keep the screws in one place this time.'],
];

const LOOKS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  tablet: { viewport: { width: 900, height: 700 }, colorScheme: 'light' },
  mobile: { viewport: { width: 390, height: 780 }, colorScheme: 'light', deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  'mobile-dark': { viewport: { width: 390, height: 780 }, colorScheme: 'dark', deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

async function shoot(page, name) {
  // What moves is over, so that two runs show the same.
  await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations === 1).map((a) => a.finished)));
  const picture = await page.screenshot({ path: path.join(FOLDER, `${name}.png`) });
  assert.ok(picture.length > 10_000, `${name} is an empty picture`);
  const sticksOut = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(sticksOut <= 0, `${name} is ${sticksOut} pixels too wide`);
}

test('what it looks like', async (t) => {
  await fs.mkdir(FOLDER, { recursive: true });
  const { person, server } = await stage(t);
  const people = { ada: await person(LOOKS.light), bea: await person(), cleo: await person() };
  await shoot(people.ada.page, 'light-login');
  await login(people.ada.page, 'Ada Lovelace');
  await people.ada.page.click('[data-room="kitchen"]');
  await people.ada.page.waitForSelector('#step-in');
  await shoot(people.ada.page, 'light-door');
  await login(people.bea.page, 'Bea Sommer');
  await login(people.cleo.page, 'Cleo');
  for (const { page } of Object.values(people)) await enter(page, 'lobby');
  await enter(people.cleo.page, 'garden');
  await people.cleo.page.click('[data-room="lobby"]');
  for (const [who, text] of TALK) {
    await say(people[who].page, text);
    await hears(people.ada.page, text.slice(0, 12));
  }
  await people.bea.page.locator('#text').pressSequentially('Off');
  await people.ada.page.waitForSelector('#typing.is-shown');
  await shoot(people.ada.page, 'light-room');

  for (const [name, look] of Object.entries(LOOKS).slice(1)) {
    const guest = await person(look);
    await shoot(guest.page, `${name}-login`);
    await login(guest.page, 'Ada Lovelace');
    await guest.page.evaluate(() => window.SS.client.rooms.view.enter('lobby'));
    await hears(guest.page, 'screws');
    await shoot(guest.page, `${name}-room`);
    if (look.isMobile) {
      await guest.page.click('[data-drawer-button=rooms]');
      await shoot(guest.page, `${name}-drawer`);
    }
    guest.assertNoComplaints();
    await guest.context.close();
  }

  people.ada.offline = true;
  await server.kill();
  await pill(people.ada.page, 'waiting');
  await shoot(people.ada.page, 'light-waiting');
  t.diagnostic(`screenshots are in ${FOLDER}`);
});
