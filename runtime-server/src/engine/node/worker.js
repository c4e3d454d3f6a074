// The app's side of a worker process: evaluates the prelude and the app, and moves messages between prelude and server.
// Standard input is a socket to the server; a message is a line of JSON.
(function (require, boot) {
  "use strict";
  const fs = require("node:fs");
  const { Socket } = require("node:net");
  const { Readable } = require("node:stream");
  const { runInThisContext } = require("node:vm");
  const { Worker } = require("node:worker_threads");
  const { isBuiltin, builtinModules, createRequire } = require("node:module");
  const { pathToFileURL } = require("node:url");
  const { webcrypto } = require("node:crypto");
  // What the app may change later.
  const { Buffer, process, performance, setImmediate, setInterval } = globalThis;
  const { store, add, compareExchange, wait, notify } = Atomics;
  const { stringify } = JSON;
  // What Node.js does itself between two turns: microtasks, and what waits for the next tick.
  const settle = typeof process._tickCallback === "function" ? process._tickCallback : undefined;
  const method = (fn) => Function.prototype.call.bind(fn);
  const indexOf = method(String.prototype.indexOf);
  const slice = method(String.prototype.slice);
  const charCodeAt = method(String.prototype.charCodeAt);
  const textOf = method(Buffer.prototype.toString);

  // What the option -e adds to the globals of Node.js.
  for (const name of [...builtinModules, "module", "exports", "require", "__filename", "__dirname"]) {
    if (name !== "crypto" && name !== "console" && name !== "process") delete globalThis[name];
  }
  Object.defineProperty(globalThis, "crypto", { __proto__: null, configurable: true, enumerable: true, get: () => webcrypto, set: undefined });
  Object.defineProperty(process, "stdin", { __proto__: null, configurable: true, value: Readable.from([]) });
  process.title = "ssserve: Node.js worker";
  // The server says when to end. A terminal or a service manager signals the workers too, while calls are still in hand.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

  // Shared with the watcher: how many messages were begun (-1: no more), turns of the event loop, whether to watch, whether it is
  // time to tell the server.
  const [STARTED, TURNS, ON, DUE] = [0, 1, 2, 4];
  const COUNT = 0x3fffffff;
  /** How calls that came together begin. */
  const CALLS = 42;
  const shared = new SharedArrayBuffer(32);
  const marks = new Int32Array(shared, 0, 6);
  const blamed = new Float64Array(shared, 24, 1);
  const { period_ms, patience_ms } = boot;
  const watcher = new Worker(boot.watcher, {
    eval: true,
    execArgv: [],
    env: {},
    workerData: { shared, period_ms, patience_ms },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  watcher.unref();

  let socket = null;
  let out = "";
  /** The number of the call whose answer may be appended to those in `out`; NaN for none. */
  let following = NaN;
  let flushing = false;
  let rest = "";

  /** Writes at once, for the times without an event loop. */
  function writeNow(text) {
    let bytes = Buffer.from(text);
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(fs.writeSync(0, bytes));
      } catch (error) {
        if (error.code !== "EAGAIN") return;
        wait(marks, 3, 0, 1);
      }
    }
  }

  function flush() {
    flushing = false;
    endAnswers();
    if (out === "" || socket === null) return;
    const text = out;
    out = "";
    socket.write(text);
  }

  /** Ends the list of answers at the end of `out`, with a sign, so that a part of it is not taken for the whole. */
  function endAnswers() {
    if (following === following) {
      out += ">\n";
      following = NaN;
    }
  }

  /** What the prelude sends leaves with all else of this turn; what it sends while it is loaded waits until the worker is needed. */
  function send(text) {
    endAnswers();
    out += `${text}\n`;
    if (!flushing) flushLater();
  }

  /** The answer of a call. Those of calls that follow each other make one list. */
  function answer(id, text) {
    if (id !== following) {
      endAnswers();
      out += `<${id}`;
    }
    following = id + 1;
    out += text === undefined ? "\t" : `\t${text}`;
    if (!flushing) flushLater();
  }

  function flushLater() {
    if (socket === null) return;
    flushing = true;
    setImmediate(flush);
  }

  // Packages that are not in the bundle lie beside it.
  const copies = boot.program.folder === null ? require : createRequire(`${boot.program.folder}/server.js`);
  const ss = {
    __proto__: null,
    program: boot.program,
    host: {
      __proto__: null,
      send,
      answer,
      blamed,
      now: () => performance.now(),
      builtin: (name) => (name[0] === "." ? copies(name) : require(isBuiltin(name) ? name : `node:${name}`)),
      fileUrl: (path) => pathToFileURL(path).href,
    },
  };
  let entry;

  /** How many messages were begun with: nobody else counts. */
  let begun = 0;

  /** One more message is begun with. */
  function begin() {
    // The server takes a worker that tells nothing for one that does not move.
    if (marks[DUE] !== 0) {
      tell();
      flushing = true;
    }
    const next = (begun + 1) & COUNT;
    // The watcher has given this process up.
    while (compareExchange(marks, STARTED, begun, next) !== begun) wait(marks, STARTED, -1);
    begun = next;
  }

  /** Sends what there is, and how far this has come. */
  function tell() {
    marks[DUE] = 0;
    endAnswers();
    out += `["ack",${begun}]\n`;
    flush();
  }

  /** After the last message of a turn and what followed from it at once. */
  function finish() {
    blamed[0] = 0;
    tell();
  }

  /** Messages that have come and were not begun with. */
  let queue = [];
  let next = 0;
  /** Of calls that came together, how many are left. */
  let left = 0;

  function received(chunk) {
    let from = 0;
    for (;;) {
      const to = indexOf(chunk, "\n", from);
      if (to === -1) break;
      queue[queue.length] = rest === "" ? slice(chunk, from, to) : rest + slice(chunk, from, to);
      rest = "";
      from = to + 1;
    }
    rest += slice(chunk, from);
    if (from > 0) setImmediate(work);
  }

  /** Runs the next call, or the next message. */
  function step() {
    if (left === 0) {
      const text = queue[next++];
      if (charCodeAt(text, 0) !== CALLS) {
        begin();
        entry.receive(text);
        return;
      }
      left = entry.take(text);
    }
    left--;
    begin();
    entry.next();
  }

  /** Runs the messages one by one, so that what follows from each is done before the next. */
  function work() {
    let done = false;
    // All that is sent meanwhile leaves at the end.
    flushing = true;
    try {
      while (left > 0 || next < queue.length) {
        try {
          step();
        } catch (error) {
          entry.uncaught(error);
        }
        if (settle === undefined) return;
        // What is thrown in there leaves this function as it would leave any other turn.
        settle();
      }
      done = true;
    } finally {
      if (!done) setImmediate(work);
    }
    queue = [];
    next = 0;
    finish();
  }

  function open() {
    socket = new Socket({ fd: 0, readable: true, writable: true });
    socket.setEncoding("utf8");
    socket.on("data", received);
    const end = () => process.exit();
    for (const event of ["end", "close", "error"]) socket.on(event, end);
    setInterval(() => add(marks, TURNS, 1), period_ms).unref();
    store(marks, ON, 1);
    notify(marks, ON);
    flush();
    if (boot.middleware !== null && ss.middleware) {
      runInThisContext(boot.middleware.source, { filename: "ss:prelude/http.js" })(require, ss, boot.middleware);
    }
  }

  function evaluate() {
    for (const [name, source] of boot.prelude) runInThisContext(source, { filename: name })(ss);
    ({ entry } = ss);
    globalThis.__ss = entry.bundle;
    runInThisContext(boot.bundle, { filename: boot.bundle_name });
    delete globalThis.__ss;
    if (!boot.load_late) entry.load();
  }

  function broken(error) {
    const message = typeof error === "object" && error !== null ? error.message : error;
    const stack = typeof error === "object" && error !== null ? error.stack : null;
    writeNow(`["broken",${stringify(`${message}`)},${stringify(typeof stack === "string" ? stack : null)}]\n`);
    process.exit(1);
  }

  let loaded = false;
  process.on("uncaughtException", (error) => (loaded ? entry.uncaught(error) : broken(error)));
  process.on("unhandledRejection", (reason) => entry.unhandled(reason));
  process.on("exit", () => {
    // Lines that the socket still has to write would be cut: then the server has to guess.
    if (socket === null || socket.writableLength > 0) return;
    endAnswers();
    writeNow(`${out}["ended",${begun}]\n`);
    out = "";
  });
  try {
    evaluate();
  } catch (error) {
    broken(error);
  }
  // Start-up code that takes time is waited for; what goes wrong in it is an error of the start.
  if (ss.started) ss.started.then(() => setImmediate(sleep), broken);
  else setImmediate(sleep);

  function sleep() {
    // -e adds this one behind our back.
    delete globalThis.module;
    loaded = true;
    // What else is sent waits; a client may be there before.
    writeNow(`["loaded",${stringify(ss.wanted)}]\n`);
    // Asleep until needed: while this waits, no timer of the app runs.
    const byte = Buffer.alloc(1);
    let line = "";
    while (line !== "open\n") {
      if (fs.readSync(0, byte) === 0) process.exit();
      line += textOf(byte, "latin1");
    }
    if (boot.load_late) {
      try {
        entry.load();
      } catch (error) {
        ss.report("the server code could not be loaded", error);
        endAnswers();
        writeNow(out);
        process.exit(1);
      }
    }
    open();
  }
});
