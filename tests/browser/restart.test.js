import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, hears, login, pill, say, stage } from './harness.js';

test('the server is killed and comes back, and both browsers go on without a reload', async (t) => {
  const { person, server } = await stage(t);
  const [ada, bea] = [await person(), await person()];
  await login(ada.page, 'Ada');
  await login(bea.page, 'Bea');
  await enter(ada.page, 'lobby');
  await enter(bea.page, 'lobby');
  await say(ada.page, 'before');
  await hears(bea.page, 'before');
  for (const { page } of [ada, bea]) await page.evaluate(() => (window.marker = 'still the same page'));

  for (const someone of [ada, bea]) someone.offline = true;
  await server.kill();
  for (const { page } of [ada, bea]) await pill(page, 'waiting');
  // Said while nobody is there to hear it: it waits in the page.
  await say(ada.page, 'anybody there?');

  await server.start();
  for (const { page } of [ada, bea]) await pill(page, 'live');
  for (const someone of [ada, bea]) someone.offline = false;
  await hears(bea.page, 'anybody there?');
  await say(bea.page, 'here again');
  await hears(ada.page, 'here again');
  await say(ada.page, 'good');
  await hears(bea.page, 'good');

  for (const someone of [ada, bea]) {
    assert.equal(await someone.page.evaluate(() => window.marker), 'still the same page');
    assert.equal(await someone.page.locator('.message__text', { hasText: /^before$/ }).count(), 1);
    assert.equal(await someone.page.locator('.message__text', { hasText: /^anybody there\?$/ }).count(), 1);
    someone.assertNoComplaints();
  }
});

test('a login outlives the server it was made on', async (t) => {
  const { person, server } = await stage(t);
  const ada = await person();
  await login(ada.page, 'Ada');
  await enter(ada.page, 'garden');
  ada.offline = true;
  await server.kill();
  await server.start();
  await ada.page.reload();
  await ada.page.waitForSelector('#composer:not([hidden])');
  assert.equal(await ada.page.locator('#me-name').innerText(), 'Ada');
  assert.equal(await ada.page.locator('#room-name').innerText(), 'garden');
});
