import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, enter, hears, login, say, stage } from './harness.js';

test('two browsers chat in a room, and one outside it is sent nothing of it', async (t) => {
  const { person } = await stage(t);
  const [ada, bea, eve] = [await person(), await person(), await person()];
  await login(ada.page, 'Ada');
  await login(bea.page, 'Bea');
  await login(eve.page, 'Eve');
  await enter(ada.page, 'kitchen');
  await enter(bea.page, 'kitchen');

  await say(ada.page, 'the kettle is on');
  await hears(bea.page, 'the kettle is on');
  await hears(ada.page, 'the kettle is on');
  await say(bea.page, 'coming down');
  await hears(ada.page, 'coming down');

  // Whatever was sent to Eve before this answer has arrived with it.
  assert.equal((await call(eve.page, 'lab.echo', 'done')).value, 'done');
  const told = eve.frames.filter((frame) => /kettle|coming down/.test(frame));
  assert.deepEqual(told, []);
  assert.match((await call(eve.page, 'rooms.say', 'kitchen', 'let me in')).value.problem, /Step into the room/);
  assert.match((await call(eve.page, 'rooms.recall', 'kitchen')).value.problem, /not in that room/);

  for (const someone of [ada, bea, eve]) someone.assertNoComplaints();
});

test('one who steps in later reads what was said, one who steps out hears no more', async (t) => {
  const { person } = await stage(t);
  const [ada, bea] = [await person(), await person()];
  await login(ada.page, 'Ada');
  await enter(ada.page, 'garden');
  await say(ada.page, 'first snowdrop');
  await hears(ada.page, 'first snowdrop');

  await login(bea.page, 'Bea');
  await enter(bea.page, 'garden');
  await hears(bea.page, 'first snowdrop');
  await bea.page.click('#leave');
  await bea.page.waitForSelector('#step-in');
  await say(ada.page, 'and a crocus');
  await hears(ada.page, 'and a crocus');
  await call(bea.page, 'lab.echo', 1);
  assert.deepEqual(bea.frames.filter((frame) => frame.includes('crocus')), []);
  ada.assertNoComplaints();
  bea.assertNoComplaints();
});

test('everybody sees who is online, and who is writing', async (t) => {
  const { person } = await stage(t);
  const [ada, bea] = [await person(), await person()];
  await login(ada.page, 'Ada');
  await login(bea.page, 'Bea');
  await ada.page.locator('.person__name', { hasText: 'Bea' }).waitFor();
  await bea.page.locator('.person__name', { hasText: 'Ada' }).waitFor();

  await enter(ada.page, 'workshop');
  await enter(bea.page, 'workshop');
  await ada.page.locator('#text').pressSequentially('hm');
  await bea.page.locator('#typing.is-shown', { hasText: 'Ada is writing' }).waitFor();

  await bea.page.click('#logout');
  await ada.page.locator('.person__name', { hasText: 'Bea' }).waitFor({ state: 'detached' });
  ada.assertNoComplaints();
  bea.assertNoComplaints();
});

test('what a person types is text, never markup', async (t) => {
  const { person } = await stage(t);
  const ada = await person();
  await login(ada.page, 'Ada');
  await enter(ada.page, 'lobby');
  const nasty = '<img src=/nowhere onerror="window.owned=1"><script>window.owned=1</script>{{from}} &amp; https://example.com/?a="><b>';
  await say(ada.page, nasty);
  await hears(ada.page, '<img src=/nowhere');
  assert.equal(await ada.page.locator('.message__text').innerText(), nasty);
  assert.equal(await ada.page.evaluate(() => window.owned), undefined);
  assert.equal(await ada.page.locator('.message__text img, .message__text script, .message__text b').count(), 0);
  ada.assertNoComplaints();
});
