// What is measured. A case of `calls` keeps so many calls in flight on each connection, or sends at a fixed rate; its figure is
// what a call costs the server.
// So short that three rounds of everything are done in a quarter of an hour.
const TIMES = ['--warm-ms', '500', '--run-ms', '1500'];
const calls = (connections, more = []) => ['--connections', `${connections}`, 'calls', ...TIMES, ...more];
const broadcast = (connections, inFlight) => ['--connections', `${connections}`, 'broadcast', '--in-flight', `${inFlight}`, ...TIMES];

export const CASES = [
  { id: 'one', group: 'calls', title: '1 connection', load: calls(1) },
  { id: 'hundred', group: 'calls', title: '100', load: calls(100) },
  { id: 'thousand', group: 'calls', title: '1,000', load: calls(1000) },
  { id: 'one-16', group: 'calls', title: '1 × 16', load: calls(1, ['--depth', '16']) },
  { id: 'hundred-16', group: 'calls', title: '100 × 16', load: calls(100, ['--depth', '16']) },
  { id: 'thousand-16', group: 'calls', title: '1,000 × 16', load: calls(1000, ['--depth', '16']) },
  { id: 'fib', group: 'handlers', title: 'fib(20), 20 connections', load: calls(20, ['--action', 'fib', '--argument', '20']) },
  { id: 'later', group: 'handlers', title: 'setTimeout 5 ms, 100 connections', load: calls(100, ['--action', 'later']) },
  { id: 'later-16', group: 'handlers', title: 'setTimeout 5 ms, 100 × 16', load: calls(100, ['--action', 'later', '--depth', '16']) },
  { id: 'rate', group: 'latency', title: '2,000 calls a second on 100 connections', load: calls(100, ['--rate', '2000']) },
  { id: 'to-1000', group: 'broadcast', title: '1,000, one at a time', load: broadcast(1000, 1) },
  { id: 'to-1000-8', group: 'broadcast', title: '1,000, 8 in flight', load: broadcast(1000, 8) },
  { id: 'to-10000', group: 'broadcast', title: '10,000, one at a time', load: broadcast(10000, 1) },
  { id: 'to-10000-8', group: 'broadcast', title: '10,000, 8 in flight', load: broadcast(10000, 8) },
  { id: 'idle', group: 'memory', title: '10,000 idle connections', load: ['--connections', '10000', 'idle'] },
  { id: 'leave', group: 'leaving', title: '5,000 connections, when their server stops', next: true, load: ['--connections', '5000', 'leave'] },
];

/** One client calls an action that does harm, again and again; what another one's calls take meanwhile. */
const probe = (more) => ['--connections', '1', 'calls', '--rate', '200', '--run-ms', '3000', ...more];
const HARM = { endless: 'endless loop', allocate: 'endless allocation', recurse: 'endless recursion', flood: 'endless microtasks', native: 'native code that cannot be interrupted' };

/** With two workers the two clients are on different VMs, with one they share it. */
export const ATTACKS = [2, 1].flatMap((workers) => [
  { id: `quiet-${workers}`, group: 'attacks', workers, title: 'nothing', load: probe([]) },
  ...Object.entries(HARM).map(([action, title]) => ({ id: `${action}-${workers}`, group: 'attacks', workers, title, load: probe(['--beside', action]) })),
]);
