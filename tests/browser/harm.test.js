import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, enter, hears, login, say, stage } from './harness.js';

const LIMITS = { call_timeout_ms: 3_000, engine_memory_bytes: 48 * 1024 * 1024 };

/** Asks for an echo again and again until told to stop; what did not come back right. */
async function keepAsking(page) {
  await page.evaluate(() => {
    window.asking = true;
    window.wrong = [];
    window.right = 0;
    window.asked = (async () => {
      for (let n = 0; window.asking; n += 1) {
        await window.SS.server.lab.echo(n).then(
          (value) => (value === n ? (window.right += 1) : window.wrong.push(`${value} for ${n}`)),
          (error) => window.wrong.push(`${error.code} for ${n}`),
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
  });
  return async () => {
    await page.evaluate(() => ((window.asking = false), window.asked));
    return page.evaluate(() => ({ wrong: window.wrong, right: window.right }));
  };
}

const HARM = [
  ['throws', ['action_error']],
  ['rejects', ['action_error']],
  ['recurses', ['stack_limit']],
  ['spins', ['interrupted']],
  ['eats', ['memory_limit']],
  ['silent', ['timeout']],
];

test('an action that goes wrong costs its caller an error, and nobody else anything', async (t) => {
  const { person } = await stage(t, { limits: LIMITS });
  const [ada, bea, cleo] = [await person(), await person(), await person()];
  await login(bea.page, 'Bea');
  await login(cleo.page, 'Cleo');
  await enter(bea.page, 'lobby');
  await enter(cleo.page, 'lobby');

  for (const [action, codes] of HARM) {
    await t.test(`lab.${action}`, async () => {
      const stop = await keepAsking(bea.page);
      const { code, value } = await call(ada.page, `lab.${action}`);
      assert.ok(codes.includes(code), `${action} ended with ${code ?? JSON.stringify(value)}, not ${codes.join(' or ')}`);
      // The one who did it is served again, too.
      assert.equal((await call(ada.page, 'lab.echo', 'again')).value, 'again');
      const { wrong, right } = await stop();
      assert.deepEqual(wrong, []);
      assert.ok(right > 0);
      await say(bea.page, `after ${action}`);
      await hears(cleo.page, `after ${action}`);
    });
  }
  bea.assertNoComplaints();
  cleo.assertNoComplaints();
});
