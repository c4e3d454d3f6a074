// A browser of which the test turns the clock, and the server's end of its sockets.
import { createClient } from "../src/client.ts";

export class World {
  constructor({ data = {}, trees = { server: { "app/square": 1, "app/list": 0, "app/all": -1 } }, random = () => 0.5, loaded = true } = {}) {
    this.time = 0;
    this.timers = new Map();
    this.lastTimer = 0;
    this.turns = new Set();
    this.sockets = [];
    this.raised = [];
    this.console = [];
    this.posts = [];
    this.fetch = async () => ({ ok: true, status: 204 });
    this.random = random;
    this.document = new Target(this, { readyState: loaded ? "complete" : "loading", visibilityState: "visible", querySelectorAll: () => [] });
    this.window = new Target(this, { location: { href: "http://localhost:3000/" } });
    this.modules = {};
    const write = (kind) => (...args) => this.console.push([kind, ...args]);
    this.env = {
      openSocket: (url, protocol) => {
        const socket = new FakeSocket(this, url, protocol);
        this.sockets.push(socket);
        return socket;
      },
      setTimeout: (fn, ms) => {
        if (!(ms >= 0)) throw new Error("a timer of " + ms + " ms");
        this.timers.set(++this.lastTimer, { at: this.time + ms, fn });
        return this.lastTimer;
      },
      clearTimeout: (timer) => this.timers.delete(timer),
      soon: (fn) => {
        const turn = { fn };
        this.turns.add(turn);
        void Promise.resolve().then(() => this.turns.delete(turn) && fn());
      },
      now: () => this.time,
      random: () => this.random(),
      randomBytes: (count) => new Uint8Array(count).map((_, i) => i),
      fetch: (url, init) => {
        this.posts.push([url, init]);
        return this.fetch(url, init);
      },
      console: { log: write("log"), warn: write("warn"), error: write("error") },
      document: this.document,
      window: this.window,
    };
    this.loader = {
      page: () => ({ build: "b1", env: "test", config: { log: { level: 0 } }, ...data }),
      trees,
      peek: (id) => this.modules[id],
      whenStarted: (fn) => fn(),
      report: (error) => this.raised.push(error),
      watch: (fn) => {
        this.grow = fn;
        fn();
      },
    };
    this.SS = createClient(this.env, this.loader);
  }

  /** Turns the clock on, running what falls due in order. */
  advance(ms) {
    const until = this.time + ms;
    for (;;) {
      let next = null;
      for (const [id, timer] of this.timers) {
        if (timer.at <= until && (!next || timer.at < next.timer.at)) next = { id, timer };
      }
      if (!next) break;
      this.timers.delete(next.id);
      this.time = Math.max(this.time, next.timer.at);
      next.timer.fn();
      this.checkpoint();
    }
    this.time = until;
  }

  /** What a browser does when a task has ended, as far as the client asked for it by itself: promises have to be waited for. */
  checkpoint() {
    for (const turn of this.turns) {
      this.turns.delete(turn);
      turn.fn();
    }
  }

  /** The newest socket. */
  get socket() {
    return this.sockets[this.sockets.length - 1];
  }

  /** Lets the newest socket open and greets it. */
  welcome({ build = "b1", recovered = null, positions = [["*", "e1", 0]], options = { heartbeat_ms: 25000, message_bytes: 65536 } } = {}) {
    this.socket.open();
    this.socket.say([0, 1, build, recovered, positions, options]);
    return this.socket;
  }

  /** What went wrong in the eyes of `SS.events`. */
  errors() {
    const list = [];
    this.SS.events.on("error", (error) => list.push(error));
    return list;
  }
}

/** Lets every promise that can settle do so. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}

class Target {
  constructor(world, properties) {
    Object.assign(this, properties);
    this.world = world;
    this.listeners = [];
  }

  addEventListener(name, fn) {
    this.listeners.push([name, fn]);
  }

  fire(name) {
    for (const [of, fn] of this.listeners) {
      if (of !== name) continue;
      fn({});
      this.world.checkpoint();
    }
  }
}

class FakeSocket {
  constructor(world, url, protocol) {
    Object.assign(this, { world, url, protocol, texts: [], state: "connecting", closeCode: null });
  }

  open() {
    this.state = "open";
    this.onopen({});
    this.world.checkpoint();
  }

  /** A message of the server. */
  say(message) {
    this.frame(message);
    this.world.checkpoint();
  }

  /** Messages in one frame; what follows from them takes its time. */
  frame(...messages) {
    const data = messages.map((message) => (typeof message === "string" ? message : JSON.stringify(message))).join("\n");
    if (this.onmessage) this.onmessage({ data });
  }

  /** The line breaks, or the server ends it. */
  break(code = 1006, reason = "") {
    this.world.checkpoint();
    this.state = "closed";
    if (this.onclose) this.onclose({ code, reason });
    this.world.checkpoint();
  }

  send(text) {
    if (this.state === "connecting") throw new Error("sent on a socket that is not open");
    this.texts.push(text);
  }

  close(code) {
    this.state = "closed";
    this.closeCode = code;
  }

  /** The messages that came in so far, by the frames that they came in. */
  get frames() {
    this.world.checkpoint();
    return this.texts.map((text) => text.split("\n").map((line) => JSON.parse(line)));
  }

  get sent() {
    return this.frames.flat();
  }

  /** The calls that came in so far. */
  get calls() {
    return this.sent.filter((message) => message[0] === 1);
  }
}
