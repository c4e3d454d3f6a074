// What a test file finds: `describe`, `test`, hooks, `expect`, `mock`, clients, the clock. It runs one file.
(function (ss) {
  "use strict";
  const { host } = ss;
  const options = ss.program;

  ss.inspect = (value) => (value && typeof value === "object" && typeof value.toJSON === "function" && Object.getOwnPropertySymbols(value).length ? String(value) : ss.format([typeof value === "string" ? JSON.stringify(value) : value]));

  // The plan: suites with hooks and tests.
  const suite = (name, parent, mode) => ({ name, parent, mode, tests: [], hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] } });
  const root = suite("", null, "run");
  let current = root;
  let running = false;
  let onlys = 0;

  const fill = (name, values) => {
    let next = 0;
    const list = Array.isArray(values) ? values : [values];
    return String(name).replace(/%[sdiojp]/g, () => (typeof list[next] === "string" ? list[next++] : ss.format([list[next++]])));
  };

  function planned(what) {
    if (running) throw new Error(`${what} is for the plan: it cannot be called while a test runs`);
  }

  function describing(mode) {
    return (name, body) => {
      planned("describe");
      if (typeof body !== "function") throw new TypeError(`describe(${JSON.stringify(name)}) wants a function`);
      const inner = suite(String(name), current, mode);
      if (mode === "only") onlys++;
      current.tests.push(inner);
      current = inner;
      try {
        const result = body();
        if (result && typeof result.then === "function") throw new TypeError("a describe cannot be async: load what it needs in beforeAll");
      } finally {
        current = inner.parent;
      }
    };
  }

  function testing(mode) {
    return (name, body, timeout) => {
      planned("test");
      if (mode !== "todo" && typeof body !== "function") throw new TypeError(`test(${JSON.stringify(name)}) wants a function; write test.todo for one that is still to come`);
      if (mode === "only") onlys++;
      const limit = typeof timeout === "object" && timeout ? timeout.timeout : timeout;
      current.tests.push({ name: String(name), parent: current, mode, body, timeout: limit || options.timeout_ms, at: new Error().stack });
    };
  }

  function each(make) {
    return (rows) => (name, body, timeout) => {
      for (const row of rows) make(fill(name, row), (...rest) => (Array.isArray(row) ? body(...row, ...rest) : body(row, ...rest)), timeout);
    };
  }

  const describe = describing("run");
  const test = testing("run");
  for (const mode of ["skip", "only"]) {
    describe[mode] = describing(mode);
    test[mode] = testing(mode);
  }
  test.todo = testing("todo");
  describe.each = each(describe);
  test.each = each(test);
  const hook = (kind) => (body, timeout) => {
    planned(kind);
    current.hooks[kind].push({ body, timeout: timeout || options.timeout_ms });
  };

  /** A function that remembers its calls. */
  function mock(implementation = () => undefined) {
    let behind = implementation;
    const made = function (...args) {
      made.calls.push(args);
      try {
        const value = behind.apply(this, args);
        made.results.push({ value });
        return value;
      } catch (error) {
        made.results.push({ error });
        throw error;
      }
    };
    made.calls = [];
    made.results = [];
    made.returns = (value) => ((behind = () => value), made);
    made.does = (fn) => ((behind = fn), made);
    made.reset = () => ((made.calls.length = made.results.length = 0), made);
    return made;
  }

  // Running.
  let ended = [];

  /** Runs a body with its deadline; resolves to what it threw, in a box. */
  function attempt(body, timeout, what) {
    return new Promise((resolve) => {
      const timer = host.realTimer(timeout, () => resolve({ error: new Error(`${what} was not done after ${timeout} ms`) }));
      const done = (outcome) => {
        host.realTimer(-1, timer);
        resolve(outcome);
      };
      let result;
      try {
        if (body.length > 0) {
          result = new Promise((ok, failed) => body((error) => (error ? failed(error) : ok())));
        } else {
          result = body();
        }
      } catch (error) {
        done({ error });
        return;
      }
      Promise.resolve(result).then(
        () => done(null),
        (error) => done({ error }),
      );
    });
  }

  const path = (of) => (of.parent ? [...path(of.parent), of.name] : of.name ? [of.name] : []);
  const fullName = (of) => path(of).join(" > ");
  const hooksOf = (of, kind) => (of ? [...hooksOf(of.parent, kind), ...of.hooks[kind]] : []);

  function chosen(entry, inOnly) {
    if (entry.mode === "skip" || entry.mode === "todo") return false;
    if (onlys && !inOnly) return false;
    return !options.pattern || new RegExp(options.pattern, "i").test(fullName(entry));
  }

  const failure = (error) => {
    const object = error !== null && typeof error === "object" ? error : null;
    const message = object && "message" in object ? String(object.message) : ss.inspect(error);
    const name = object && object.name && object.name !== "Error" ? `${object.name}: ` : "";
    const code = object && object.code && !message.includes(object.code) ? ` (${object.code})` : "";
    return { message: `${name === "AssertionError: " ? "" : name}${message}${code}`, stack: (object && object.stack) || "", assertion: (object && object.assertion) || null };
  };

  /** Errors that belong to no promise: of timers, of handlers, of rejections nobody took. */
  let stray = null;
  ss.failOwner = (what, error) => {
    if (stray) stray({ error });
    else host.report(JSON.stringify({ kind: "stray", failure: failure(error) }));
  };

  async function runTest(entry) {
    ss.assertions = 0;
    ended = [];
    const started = host.real();
    let outcome = null;
    const strayed = new Promise((resolve) => (stray = resolve));
    for (const { body, timeout } of hooksOf(entry.parent, "beforeEach")) outcome ??= await attempt(body, timeout, "beforeEach");
    if (!outcome) outcome = await Promise.race([attempt(entry.body, entry.timeout, "the test"), strayed]);
    for (const { body, timeout } of hooksOf(entry.parent, "afterEach").reverse()) {
      const after = await attempt(body, timeout, "afterEach");
      outcome ??= after;
    }
    for (const client of ended) client.close();
    stray = null;
    host.report(
      JSON.stringify({
        kind: "test",
        path: path(entry),
        outcome: outcome ? "failed" : "passed",
        took_ms: host.real() - started,
        assertions: ss.assertions,
        failure: outcome ? failure(outcome.error) : null,
      }),
    );
  }

  function anyChosen(of, inOnly) {
    return of.tests.some((entry) => {
      const only = inOnly || entry.mode === "only";
      return entry.tests ? entry.mode !== "skip" && anyChosen(entry, only) : chosen(entry, only);
    });
  }

  async function runSuite(of, inOnly, skipped) {
    const live = !skipped && anyChosen(of, inOnly);
    let broken = null;
    if (live) for (const { body, timeout } of of.hooks.beforeAll) broken ??= await attempt(body, timeout, "beforeAll");
    for (const entry of of.tests) {
      const only = inOnly || entry.mode === "only";
      if (entry.tests) {
        await runSuite(entry, only, skipped || entry.mode === "skip" || !!broken);
      } else if (skipped || !chosen(entry, only)) {
        const outcome = entry.mode === "todo" ? "todo" : "skipped";
        host.report(JSON.stringify({ kind: "test", path: path(entry), outcome, took_ms: 0, assertions: 0, failure: null }));
      } else if (broken) {
        host.report(JSON.stringify({ kind: "test", path: path(entry), outcome: "failed", took_ms: 0, assertions: 0, failure: failure(broken.error) }));
      } else {
        await runTest(entry);
      }
    }
    if (live) {
      for (const { body, timeout } of of.hooks.afterAll) {
        const after = await attempt(body, timeout, "afterAll");
        if (after) host.report(JSON.stringify({ kind: "test", path: [...path(of), "afterAll"], outcome: "failed", took_ms: 0, assertions: 0, failure: failure(after.error) }));
      }
    }
  }

  // Clients.
  const waiting = new Map();
  let lastRealm = 0;

  /** A browser without a screen, connected to the private server as a page is. */
  async function connect({ user, path = "/", init = false, jar } = {}) {
    const shared = jar === undefined ? host.jar() : jar.jar;
    if (user !== undefined) await ss.question("signIn", shared, String(user));
    const id = ++lastRealm;
    const global = await new Promise((resolve) => {
      waiting.set(id, resolve);
      host.realm(id, shared);
    });
    await global.__ssTest.load(path, init);
    return client(global, shared);
  }

  function client(global, jar) {
    const { SS } = global;
    const seen = [];
    const wanting = [];
    const { emit } = SS.events;
    SS.events.emit = (name, params, channel) => {
      const entry = { name, params, channel };
      const index = wanting.findIndex((one) => one.name === name);
      if (index >= 0) wanting.splice(index, 1)[0].resolve(params);
      else seen.push(entry);
      return emit(name, params, channel);
    };
    const made = {
      SS,
      window: global,
      jar,
      /** Parameters of the next event of that name that nobody has taken; it may have come already. */
      next(name, timeout = options.timeout_ms / 2) {
        const index = seen.findIndex((one) => one.name === name);
        if (index >= 0) return Promise.resolve(seen.splice(index, 1)[0].params);
        return new Promise((resolve, reject) => {
          const entry = { name, resolve: (value) => (host.realTimer(-1, timer), resolve(value)) };
          wanting.push(entry);
          const timer = host.realTimer(timeout, () => {
            wanting.splice(wanting.indexOf(entry), 1);
            reject(new Error(`no event ${JSON.stringify(name)} came within ${timeout} ms`));
          });
        });
      },
      /** Events that came and that nobody has taken: name and parameters. */
      get events() {
        return seen.map(({ name, params }) => [name, params]);
      },
      /** Another tab of the same browser. */
      tab: (more = {}) => connect({ ...more, jar: made }),
      /** The connection breaks, and comes back by itself. */
      drop: () => global.__ssTest.drop(),
      close() {
        SS.socket.disconnect();
      },
    };
    ended.push(made);
    return global.__ssTest.ready().then(() => made);
  }

  /** Asks the host and waits. */
  const asked = new Map();
  let lastQuestion = 0;
  ss.question = (what, ...args) =>
    new Promise((resolve, reject) => {
      asked.set(++lastQuestion, { resolve, reject });
      host[what](lastQuestion, ...args);
    });

  const clock = {
    now: () => host.now(),
    /** Moves the server's and the clients' clock on; timers that fall due run. */
    async advance(ms) {
      if (!(ms >= 0)) throw new TypeError("clock.advance wants milliseconds");
      host.advance(ms);
      await new Promise((resolve) => host.realTimer(0, resolve));
    },
  };

  /** Resolves as soon as `is` is true, or does not throw. */
  async function until(is, timeout = options.timeout_ms / 2) {
    const end = host.real() + timeout;
    for (;;) {
      let last;
      try {
        const value = await is();
        if (value) return value;
      } catch (error) {
        last = error;
      }
      if (host.real() > end) throw last || new Error(`it did not become true within ${timeout} ms`);
      await new Promise((resolve) => host.realTimer(5, resolve));
    }
  }

  const realTimers = new Map();
  const { realTimer } = host;
  let lastReal = 0;
  host.realTimer = (ms, fn) => {
    if (ms < 0) {
      realTimers.delete(fn);
      return realTimer(fn, -1);
    }
    realTimers.set(++lastReal, fn);
    realTimer(lastReal, ms);
    return lastReal;
  };

  ss.receive = (kind, id, value, more) => {
    switch (kind) {
      case "timer":
        return ss.timer(id);
      case "real": {
        const fn = realTimers.get(id);
        realTimers.delete(id);
        return fn && fn();
      }
      case "realm": {
        const resolve = waiting.get(id);
        waiting.delete(id);
        return resolve(value);
      }
      case "answer": {
        const { resolve, reject } = asked.get(id);
        asked.delete(id);
        return more === undefined ? resolve(value) : reject(new Error(more));
      }
    }
  };

  // The page that tests have without asking: made when it is first used.
  let first = null;
  const globals = { describe, test, it: test, expect: ss.expect, mock, connect, clock, until };
  for (const kind of ["beforeAll", "beforeEach", "afterEach", "afterAll"]) globals[kind] = hook(kind);
  for (const name of Object.keys(globals)) globalThis[name] = globals[name];

  ss.run = async () => {
    try {
      first = await connect({});
      ended = [];
      Object.defineProperty(globalThis, "SS", { value: first.SS, configurable: true });
      globalThis.client = first;
      ss.requireModule(ss.file);
      running = true;
      await runSuite(root, false, false);
    } catch (error) {
      host.report(JSON.stringify({ kind: "broken", failure: failure(error) }));
    }
    host.done();
  };

  globalThis.__ss = {
    __proto__: null,
    define: ss.bundle.define,
    start(trees) {
      ss.file = trees.test.file;
    },
  };
});
