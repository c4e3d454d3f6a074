// The tree is complete, and everything that waits has ended, when `init` runs.
import { done, equal } from './check';
import { log } from './order/_log';
import './order/_first';
import './order/_second';
import './order/_third';
import { value } from './order/_star';
import { even } from './order/_even';

await null;
log.push('app');

export async function init() {
  equal(
    log.join(' '),
    'slow-begins quick-begins plain odd even slow quick middle second-user star third app',
    'the order of evaluation',
  );
  equal(value, 'late', 'export * of what waits');
  equal(even(10), true, 'a circle');
  equal(SS.client.order.settings.language, 'en', 'the tree is complete');
  const { later } = await import('./order/_later');
  equal(later, 'later', 'import() of what waits');
  const first = import('./order/_broken').catch((error) => error.message);
  const second = import('./order/_broken').catch((error) => error.message);
  equal(`${await first}, ${await second}`, 'no luck, no luck', 'a rejection is that of each import()');
  done();
}
