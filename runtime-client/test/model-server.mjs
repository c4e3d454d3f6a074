// A server that keeps the protocol's promises, over a network that delays, loses and falls silent. It runs in the
// world's time, checks what the client sends, and counts what it did.
import assert from "node:assert/strict";

const HEARTBEAT_MS = 5000;
const ANSWER_MEMORY_MS = 60000;
const HISTORY = 20;
const MESSAGE_BYTES = 30000;
/** How often what waits for a client is joined with what waits already. */
const JOINED = 0.7;

export class ModelServer {
  constructor(world, random) {
    Object.assign(this, { world, random, lines: new Set(), opened: 0, executed: new Map(), published: 0 });
    this.up = true;
    /** How many messages there were in each frame that came, and in each that went. */
    this.frames = [];
    this.sent = [];
    /** No packet passes, and nobody is told. */
    this.silent = false;
    this.boots = 0;
    this.firstSent = new Set();
    this.clientId = null;
    this.boot();
    world.env.openSocket = () => this.open();
  }

  /** What a restart forgets. */
  boot() {
    this.boots += 1;
    this.answers = new Map();
    this.running = new Map();
    this.streams = new Map([["*", this.stream()], ["#room", this.stream()]]);
  }

  stream() {
    return { epoch: "e" + this.boots, offset: 0, history: [] };
  }

  open() {
    for (const line of this.lines) assert.ok(!line.socketUsed, "two sockets at a time");
    const line = new Line(this);
    this.lines.add(line);
    return line.socket;
  }

  get greeted() {
    return [...this.lines].filter((line) => line.greeted && !line.dead);
  }

  /** Every connection breaks; the client hears of it. */
  breakLines(code = 1006) {
    for (const line of [...this.lines]) line.end(code);
  }

  restart() {
    this.breakLines(1012);
    this.boot();
  }

  /** One publication through one or both streams. */
  publish(names) {
    const n = ++this.published;
    const offsets = names.map((name) => ++this.streams.get(name).offset);
    const message = names.length > 1 ? [3, names, offsets, "n", n] : [3, names[0], offsets[0], "n", n];
    names.forEach((name, i) => {
      const { history } = this.streams.get(name);
      history.push({ offset: offsets[i], message, n });
      if (history.length > HISTORY) history.shift();
    });
    for (const line of this.greeted) line.say(message);
  }

  /** A frame of the client. */
  received(line, text) {
    const lines = text.split("\n");
    const messages = lines.map((each) => JSON.parse(each));
    assert.ok(lines.length === 1 || messages.every(([kind]) => kind !== 0), "a hello is alone");
    assert.ok(lines.length <= 64, `${lines.length} messages in a frame`);
    assert.ok(lines.length === 1 || text.length <= 16384, `${text.length} characters in a frame`);
    assert.ok(Buffer.byteLength(text) <= MESSAGE_BYTES, "more than the server takes");
    this.frames.push(lines.length);
    for (const message of messages) if (!line.dead) this.take(line, message);
  }

  take(line, message) {
    switch (message[0]) {
      case 0:
        return this.hello(line, message);
      case 1:
        return this.call(line, message);
      case 2:
        return line.say([9]);
      default:
        assert.fail("the client sent " + JSON.stringify(message));
    }
  }

  hello(line, [, version, , clientId, positions]) {
    assert.equal(version, 1);
    assert.equal(line.greeted, false, "a second hello");
    assert.match(clientId, /^[0-9a-f]{32}$/);
    assert.equal(this.clientId || clientId, clientId, "one client id for the page");
    this.clientId = clientId;
    // One that the client had given up before it was welcomed may arrive after a later one was.
    if (this.welcomed && line.socketUsed) assert.notEqual(positions, null, "the client forgot where it was");
    line.greeted = true;

    const missed = new Map();
    let recovered = positions === null ? null : true;
    for (const [name, epoch, offset] of positions || []) {
      const stream = this.streams.get(name);
      assert.ok(stream, "a stream that was never given");
      assert.ok(epoch !== stream.epoch || offset <= stream.offset, "further than the stream");
      const oldest = stream.history.length ? stream.history[0].offset : stream.offset + 1;
      if (epoch !== stream.epoch || offset + 1 < oldest) recovered = false;
      else for (const entry of stream.history) if (entry.offset > offset) missed.set(entry.n, entry.message);
    }
    const now = [...this.streams].map(([name, stream]) => [name, stream.epoch, stream.offset]);
    line.say([0, 1, "b1", recovered, now, { heartbeat_ms: HEARTBEAT_MS, message_bytes: MESSAGE_BYTES }]);
    if (recovered) {
      for (const n of [...missed.keys()].sort((a, b) => a - b)) {
        line.say(missed.get(n));
        // A server may know less well than the client what has arrived.
        if (this.random() < 0.2) line.say(missed.get(n));
      }
    }
  }

  call(line, [, id, action, args, resent]) {
    assert.equal(action, "app/square");
    assert.ok(line.greeted, "a call before the hello");
    assert.ok(id > line.lastId, "calls out of order on one connection");
    line.lastId = id;
    if (!resent) {
      assert.ok(!this.firstSent.has(id), "a call sent twice without saying so");
      this.firstSent.add(id);
    }
    const remembered = this.answers.get(id);
    if (remembered) return line.say(remembered);
    if (this.running.has(id)) return this.running.set(id, line);
    // It was forgotten, or it never came: what had been on its way at the break is not known to this model either.
    if (resent && this.executed.has(id)) return line.say([2, id, "outcome_unknown", "not known any more", 0]);

    assert.ok(!this.executed.has(id), "a call ran twice");
    this.executed.set(id, args[0]);
    this.running.set(id, line);
    const boots = this.boots;
    this.world.env.setTimeout(() => {
      if (this.boots !== boots) return;
      const answer = [1, id, args[0] * args[0]];
      const to = this.running.get(id);
      this.running.delete(id);
      this.answers.set(id, answer);
      this.world.env.setTimeout(() => this.answers.delete(id), ANSWER_MEMORY_MS);
      to.say(answer);
      if (this.random() < 0.1) to.say(answer);
    }, Math.floor(this.random() * 3000));
  }
}

/** One connection: two ordered queues with delay, and the client's socket at one end. */
class Line {
  constructor(server) {
    Object.assign(this, { server, greeted: false, dead: false, deaf: false, lastId: 0, arrives: { up: 0, down: 0 } });
    this.socketUsed = true;
    this.socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: (text) => this.pass("up", () => server.received(this, text)),
      close: () => {
        this.socketUsed = false;
        this.pass("up", () => this.gone());
      },
    };
    if (!server.up) this.pass("down", () => this.end(1006));
    else this.pass("down", () => this.socketUsed && this.socket.onopen({}));
  }

  say(message) {
    // A network that is silent loses all that is on its way from then on.
    if (this.waits && this.waits.silent === this.server.silent && this.server.random() < JOINED) {
      this.waits.messages.push(message);
      return;
    }
    const waits = (this.waits = { messages: [message], silent: this.server.silent });
    this.pass("down", () => {
      if (this.waits === waits) this.waits = null;
      if (!this.socketUsed) return;
      if (message[0] === 0) this.server.welcomed = true;
      this.server.sent.push(waits.messages.length);
      this.socket.onmessage({ data: waits.messages.map((each) => JSON.stringify(each)).join("\n") });
    });
  }

  /** Delivers in order after a while. What falls into a silence is lost, and with it all that follows on that line. */
  pass(way, deliver) {
    const { world, random, silent } = this.server;
    if (silent) this.deaf = true;
    if (this.deaf || this.dead) return;
    this.arrives[way] = Math.max(this.arrives[way], world.time + Math.floor(random() * 400));
    world.env.setTimeout(() => {
      if (!this.dead) deliver();
    }, this.arrives[way] - world.time);
  }

  gone() {
    this.dead = true;
    this.server.lines.delete(this);
  }

  end(code) {
    if (this.dead) return;
    this.gone();
    // Nobody tells a client behind a silent network: it has to find out.
    if (this.deaf) return;
    if (!this.socketUsed) return;
    this.socketUsed = false;
    this.socket.onclose({ code, reason: "" });
  }
}
