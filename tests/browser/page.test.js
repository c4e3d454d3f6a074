import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';
import { enter, login, stage } from './harness.js';

test('the page keeps a strict policy and complains about nothing', async (t) => {
  const { person, server } = await stage(t);
  const answer = await fetch(server.url);
  const policy = answer.headers.get('content-security-policy') ?? '';
  const scripts = policy.split(';').find((directive) => directive.trim().startsWith('script-src')) ?? '';
  assert.match(scripts, /'self'/);
  assert.doesNotMatch(scripts, /unsafe-inline|unsafe-eval|\*/);

  const ada = await person();
  await login(ada.page, 'Ada');
  await enter(ada.page, 'garden');
  await ada.page.waitForLoadState('networkidle');
  const broken = await ada.page.evaluate(() =>
    [...document.images].filter((image) => !image.complete || image.naturalWidth === 0).map((image) => image.src),
  );
  assert.deepEqual(broken, []);
  ada.assertNoComplaints();
});

test('every script and stylesheet is named by its bytes and carries their integrity', async (t) => {
  const { person, server } = await stage(t);
  const { page } = await person();
  const tags = await page.evaluate(() =>
    [...document.querySelectorAll('script[src], link[rel=stylesheet]')].map((tag) => ({
      url: tag.src || tag.href,
      integrity: tag.integrity,
    })),
  );
  assert.ok(tags.length >= 3, `scripts and styles in the page: ${JSON.stringify(tags)}`);
  for (const { url, integrity } of tags) {
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('cache-control'), /immutable/);
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.equal(integrity, `sha384-${crypto.createHash('sha384').update(bytes).digest('base64')}`);
    const hash = crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    assert.ok(url.includes(hash), `${url} does not carry ${hash}`);
  }
  const styles = await fetch(tags.find(({ url }) => /app-[^/]*\.css$/.test(url)).url).then((answer) => answer.text());
  const images = [...styles.matchAll(/url\(["']?([^"')]+\.svg)["']?\)/g)].map(([, found]) => found);
  assert.ok(images.length >= 2, 'the stylesheet names its images');
  for (const image of images) {
    const url = new URL(image, tags.find(({ url }) => url.endsWith('.css')).url);
    const answer = await fetch(url);
    assert.equal(answer.status, 200, url.href);
    const hash = crypto.createHash('sha256').update(Buffer.from(await answer.arrayBuffer())).digest('hex').slice(0, 16);
    assert.ok(url.href.includes(hash), `${url} does not carry ${hash}`);
  }
  assert.equal((await fetch(`${server.url}/favicon.ico`)).status, 200);
});

test('the API trees are what the folders say', async (t) => {
  const { person } = await stage(t);
  const { page } = await person();
  const seen = await page.evaluate(() => ({
    client: Object.keys(window.SS.client).sort(),
    rooms: Object.keys(window.SS.client.rooms).sort(),
    alias: window.SS.client.topBar === window.SS.client['top-bar'],
    shared: window.SS.shared.validate.room('The  Garden').value,
    started: window.SS.started,
    secret: Object.keys(window.SS.config).sort(),
  }));
  assert.deepEqual(seen.client.filter((name) => name !== 'topBar'), ['app', 'connection', 'people', 'rooms', 'session', 'toast', 'top-bar']);
  assert.deepEqual(seen.rooms, ['list', 'message', 'typing', 'view']);
  assert.equal(seen.alias, true);
  assert.equal(seen.shared, 'the-garden');
  assert.equal(seen.started, true);
  assert.ok(!seen.secret.includes('app') && !seen.secret.includes('limits'), 'only config.client reaches the browser');
});

test('actions answer over plain HTTP, too, and the guard stands there as well', async (t) => {
  const { server } = await stage(t);
  const squared = await fetch(`${server.url}/api/app/square?25`);
  assert.equal(squared.status, 200);
  assert.equal(Number(await squared.text()), 625);
  assert.equal((await fetch(`${server.url}/api/rooms/list`)).status, 401);
  assert.equal((await fetch(`${server.url}/api/rooms/nothing`)).status, 404);
});

test('the development build is the same app, and tells more', async (t) => {
  const { person } = await stage(t, { env: 'development' });
  const ada = await person();
  await login(ada.page, 'Ada');
  await enter(ada.page, 'workshop');
  const told = await ada.page.evaluate(() =>
    window.SS.server.lab.throws().then(
      () => null,
      ({ message, stack }) => ({ env: window.SS.env, message, stack: String(stack) }),
    ),
  );
  assert.equal(told.env, 'development');
  assert.match(told.message, /thrown on purpose/);
  assert.match(told.stack, /throws/);
  ada.assertNoComplaints();
});
