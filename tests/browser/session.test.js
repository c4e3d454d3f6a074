import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, enter, hears, login, say, stage } from './harness.js';

const session = async (person) => (await person.context.cookies()).find(({ name }) => name === 'ss_porch');

test('a protected action is refused before login, and the page says what is wrong with a password', async (t) => {
  const { person } = await stage(t);
  const ada = await person();
  assert.equal((await call(ada.page, 'rooms.list')).code, 'not_authenticated');
  assert.equal((await call(ada.page, 'people.list')).code, 'not_authenticated');
  assert.equal((await call(ada.page, 'rooms.say', 'lobby', 'hello')).code, 'not_authenticated');

  await ada.page.fill('#gate [name=name]', 'Ada');
  await ada.page.fill('#gate [name=password]', 'abc');
  await ada.page.click('#gate button[type=submit]');
  await ada.page.locator('#password-problem', { hasText: 'at least 4' }).waitFor();
  // The server has the same rule, for those who do not ask the page.
  for (const password of ['abc', 'ADA', null]) {
    const { user, field } = (await call(ada.page, 'session.login', 'Ada', password)).value;
    assert.deepEqual([user, field], [null, 'password']);
  }
  assert.equal((await call(ada.page, 'rooms.list')).code, 'not_authenticated');
});

test('login, reload and logout keep and drop the user', async (t) => {
  const { person, browser, server } = await stage(t);
  const ada = await person();
  const before = await session(ada);
  assert.ok(before, 'the socket has set the cookie');
  assert.equal(before.httpOnly, true);
  assert.equal(before.sameSite, 'Lax');

  await login(ada.page, 'Ada');
  const after = await session(ada);
  assert.notEqual(after.value, before.value, 'a login changes the id');
  await enter(ada.page, 'kitchen');

  await ada.page.reload();
  await ada.page.waitForSelector('#house:not([hidden])');
  assert.equal(await ada.page.locator('#me-name').innerText(), 'Ada');
  await ada.page.locator('#room-name', { hasText: 'kitchen' }).waitFor();
  await ada.page.waitForSelector('#composer:not([hidden])');

  // The id from before the login is worth nothing: for a while not even a connection.
  const thief = await browser.newContext();
  await thief.addCookies([before]);
  const stolen = await thief.newPage();
  const frames = [];
  const tried = new Promise((resolve) => {
    stolen.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => frames.push(...String(payload).split('\n')));
      socket.once('framereceived', resolve);
      socket.once('close', resolve);
    });
  });
  await stolen.goto(server.url);
  await tried;
  assert.notEqual(await stolen.evaluate(() => document.body.dataset.stage), 'house');
  assert.deepEqual(frames.filter((frame) => frame.includes('Ada')), []);
  await thief.close();

  await ada.page.click('#logout');
  await ada.page.waitForSelector('#gate:not([hidden])');
  assert.equal((await call(ada.page, 'rooms.list')).code, 'not_authenticated');
  ada.complaints.length = 0;
  await ada.page.reload();
  await ada.page.waitForFunction(() => document.body.dataset.stage !== 'starting');
  assert.equal(await ada.page.evaluate(() => document.body.dataset.stage), 'gate');
  ada.assertNoComplaints();
});

test('two tabs of one browser are one session', async (t) => {
  const { person } = await stage(t);
  const [ada, bea] = [await person(), await person()];
  const second = await ada.tab();
  await login(ada.page, 'Ada');
  // The other tab notices by itself.
  await second.waitForSelector('#house:not([hidden])');
  await enter(ada.page, 'lobby');
  await second.reload();
  await second.waitForSelector('#composer:not([hidden])');

  await login(bea.page, 'Bea');
  await enter(bea.page, 'lobby');
  await say(bea.page, 'good evening');
  await hears(ada.page, 'good evening');
  await hears(second, 'good evening');
  assert.equal(await second.locator('.message__text', { hasText: 'good evening' }).count(), 1);
  await say(second, 'from the other tab');
  await hears(ada.page, 'from the other tab');

  await second.click('#logout');
  await ada.page.waitForSelector('#gate:not([hidden])');
  assert.equal((await call(ada.page, 'rooms.list')).code, 'not_authenticated');
  assert.equal(await bea.page.locator('#me-name').innerText(), 'Bea');
  bea.assertNoComplaints();
});

test('a login in one tab brings the others back by themselves, and nothing is lost', async (t) => {
  const { person } = await stage(t);
  const ada = await person();
  const second = await ada.tab();
  await second.evaluate(() => {
    const told = { socket: [], errors: [], recovered: [], changed: [], wrong: [], asked: 0, enough: false };
    for (const name of ['disconnect', 'reconnect']) SS.socket.on(name, () => told.socket.push(name));
    SS.events.on('error', ({ code }) => told.errors.push(code));
    SS.events.on('recovered', (all) => told.recovered.push(all));
    SS.events.on('people:changed', ({ user }) => told.changed.push(user));
    // Asks all the while: some of these calls are under way when the connection ends, some are made while there is none.
    const ask = async () => {
      const pending = [];
      for (let n = 0; !told.enough; n += 1) {
        pending.push(
          SS.server.app.square(n).then(
            (square) => square === n * n || told.wrong.push([n, square]),
            ({ code }) => told.wrong.push([n, code]),
          ),
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await Promise.all(pending);
      told.asked = pending.length;
      return told;
    };
    window.asking = Object.assign(ask(), { told });
  });
  await login(ada.page, 'Ada');
  await second.waitForSelector('#house:not([hidden])');
  const told = await second.evaluate(async () => {
    window.asking.told.enough = true;
    return window.asking;
  });
  assert.deepEqual(told.socket, ['disconnect', 'reconnect']);
  assert.deepEqual([told.errors, told.wrong, told.recovered], [[], [], [true]]);
  assert.ok(told.changed.includes('Ada'), 'what was published while it was away has arrived');
  assert.ok(told.asked > 5);
  assert.equal(await second.locator('#me-name').innerText(), 'Ada');
  ada.assertNoComplaints();
});
