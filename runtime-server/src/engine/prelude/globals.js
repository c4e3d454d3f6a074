// Globals that server code finds where there is only the language: `console`, timers. The web's other ones are in `web/`.
(function (ss) {
  "use strict";
  const { Map, Error, TypeError, RangeError, Number, Promise, apply, create, hidden, keys, mapGet, mapSet, mapDelete, when, trunc } = ss.p;
  const { host, format, log } = ss;

  const TIMERS = 100_000;
  const LONGEST_MS = 2 ** 31 - 1;

  // console
  const level = (number) => (...args) => log(number, format(args));
  const counts = create(null);
  const times = create(null);
  const info = level(2);
  const label = (name) => (name === undefined ? "default" : ss.text(name));
  const console = {
    log: info,
    info,
    error: level(0),
    warn: level(1),
    debug: level(3),
    trace: (...args) => log(3, `Trace: ${format(args)}\n${new Error().stack}`),
    dir: (value) => info(value),
    assert: (ok, ...args) => {
      if (!ok) log(0, args.length ? `Assertion failed: ${format(args)}` : "Assertion failed");
    },
    count: (name) => info(`${label(name)}: ${(counts[label(name)] = (counts[label(name)] ?? 0) + 1)}`),
    countReset: (name) => void delete counts[label(name)],
    time: (name) => void (times[label(name)] = host.now()),
    timeLog: (name, ...args) => {
      const start = times[label(name)];
      if (start !== undefined) info(`${label(name)}: ${host.now() - start} ms`, ...args);
    },
    timeEnd: (name) => {
      console.timeLog(name);
      delete times[label(name)];
    },
    group: (...args) => void (args.length && info(...args)),
    groupEnd: () => {},
    table: (value) => info(value),
  };

  // timers
  const timers = new Map();
  let lastTimer = 0;
  let live = 0;

  function arm(fn, delay, args, repeat) {
    if (typeof fn !== "function") throw new TypeError("a timer wants a function");
    if (live >= TIMERS) throw new RangeError(`more than ${TIMERS} timers`);
    let ms = trunc(Number(delay));
    if (!(ms >= 1)) ms = 1;
    if (ms > LONGEST_MS) ms = LONGEST_MS;
    const id = ++lastTimer;
    mapSet(timers, id, { __proto__: null, fn, args, ms, repeat, owner: ss.owner() });
    live++;
    host.timer(id, ms);
    return id;
  }
  function disarm(id) {
    if (!mapDelete(timers, id)) return;
    live--;
    host.timer(id, -1);
  }
  ss.timer = (id) => {
    const timer = mapGet(timers, id);
    if (!timer) return;
    ss.blame(timer.owner);
    if (timer.repeat) {
      host.timer(id, timer.ms);
    } else {
      mapDelete(timers, id);
      live--;
    }
    ss.callBack("a timer", () => apply(timer.fn, undefined, timer.args));
  };

  const resolved = Promise.resolve();
  const globals = {
    console,
    setTimeout: (fn, ms, ...args) => arm(fn, ms, args, false),
    setInterval: (fn, ms, ...args) => arm(fn, ms, args, true),
    setImmediate: (fn, ...args) => arm(fn, 0, args, false),
    clearTimeout: disarm,
    clearInterval: disarm,
    clearImmediate: disarm,
    queueMicrotask(fn) {
      if (typeof fn !== "function") throw new TypeError("queueMicrotask wants a function");
      when(resolved, () => ss.callBack("a microtask", fn));
    },
  };
  const names = keys(globals);
  for (let i = 0; i < names.length; i++) hidden(globalThis, names[i], globals[names[i]]);
});
