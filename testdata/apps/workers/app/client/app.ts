import { done, equal } from './check';
import Doubler from './jobs/double?worker';
import doublerUrl from './jobs/double?worker&url';

/** What a worker answers to one message. */
const ask = (worker: Worker | MessagePort, message: unknown) =>
  new Promise<any>((resolve) => {
    worker.addEventListener('message', (event) => resolve((event as MessageEvent).data), { once: true });
    worker.postMessage(message);
  });

export async function init() {
  const sum = new Worker(new URL('./jobs/sum.ts', import.meta.url), { type: 'module', name: 'adder' });
  sum.onerror = (event) => (document.title = `failed: ${event.message}`);
  const answer = await ask(sum, [1, 2, 3]);
  equal(answer.total, 6, 'a package in a worker');
  equal(answer.name, 'adder', 'options are handed on');
  equal(answer.square, 36, 'a shared module in a worker');
  equal(answer.later, 'loaded', 'import() in a worker');
  equal(answer.nested, 12, 'a worker that starts a worker');
  equal(answer.itself, 'again', 'a worker that starts itself');
  equal((await (await fetch(answer.logo)).text()).includes('<svg'), true, 'a picture of a worker');

  equal(await ask(new Doubler(), 21), 42, '?worker');
  equal(await ask(new Worker(doublerUrl), 4), 8, '?worker&url');

  const shared = new SharedWorker(new URL('./jobs/count.js', import.meta.url));
  shared.port.start();
  equal(await ask(shared.port, 'next'), 1, 'a shared worker');
  equal(await ask(shared.port, 'next'), 2, 'a shared worker keeps what it knows');
  equal(Object.keys((window as any).SS.client.jobs).join(), 'later', 'workers are not in the tree');
  done();
}
