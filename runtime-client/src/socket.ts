// The one connection to the server: closed, connecting, open, and back. Never two sockets at a time.

import type { Env, SocketLike } from "./env";
import { decode, ping, SUBPROTOCOL } from "./protocol";
import type { ServerMessage, WelcomeOptions } from "./protocol";

/** Where the connection stands. */
export type State = "closed" | "connecting" | "open";

/** Who is told. */
export interface Listener {
  /** The first message of a new socket. */
  hello(): string;
  connecting(): void;
  message(message: ServerMessage): void;
  /** Whether an answer is still awaited. */
  busy(): boolean;
  /** The connection ended; `final` when it does not come back by itself. */
  closed(code: number, reason: string, final: boolean, wasOpen: boolean): void;
}

/** The connection. */
export interface Socket {
  state(): State;
  /** Whether the server still takes calls. */
  ready(): boolean;
  /** The largest frame that the server takes, in bytes. */
  messageBytes(): number;
  /** Takes a message for the next frame of an open connection. */
  send(text: string): void;
  /** The server has greeted: messages may flow. */
  welcomed(options: WelcomeOptions): void;
  /** The server goes away: come back after so many milliseconds. */
  leave(afterMs: number): void;
  connect(): void;
  disconnect(): void;
}

/** Time from opening a socket to its welcome. */
const WELCOME_MS = 10000;
/** Time from a ping to any message. */
const PONG_MS = 8000;
const HEARTBEAT_MS = 25000;
/** The n-th attempt waits a random time below BACKOFF_MS · 2ⁿ, at most BACKOFF_MOST_MS. */
const BACKOFF_MS = 500;
const BACKOFF_MOST_MS = 20000;
/** A connection that lasted this long was a good one: attempts count from the start. */
const STABLE_MS = 10000;
/** What "later" means to a client that sent too much. */
const PENALTY_MS = 5000;

/** How often a page whose turn to go has come looks for the answers that it awaits. */
const ANSWER_MS = 50;

/** A message that would make a frame longer than this begins another; one that is longer by itself goes alone. */
const FRAME_LENGTH = 16384;
const FRAME_MESSAGES = 64;
/** A character of a text takes so many bytes at most. */
const CHARACTER_BYTES = 3;
/** Turns of the microtask queue between messages of a frame: what waits for an answer runs before the event behind it. */
const TURNS = 16;

/** Close codes after which coming back would end the same way. */
const FINAL = [4000, 4001, 4002];
const TOO_MANY = 4004;
const NORMAL = 1000;
/** Told to listeners when there was no close frame. */
const ABNORMAL = 1006;

/** A closed connection to `url`; `connect` opens it, and from then on it comes back by itself. */
export function createSocket(env: Env, url: string, listener: Listener): Socket {
  let socket: SocketLike | null = null;
  let state: State = "closed";
  /** Whether it is meant to be open. */
  let wanted = false;
  /** Whether the page is in the back/forward cache, or on its way out. */
  let hidden = false;
  let departing = false;
  let attempts = 0;
  let openedAt = 0;
  let notBefore = 0;
  let retryTimer: unknown;
  let deadline: unknown = null;
  let beatTimer: unknown;
  let heartbeatMs: number;
  /** Whether the next attempt does without websockets, and whether one was ever greeted on this page. */
  let fallback = false;
  let proven = false;
  /** What leaves in the next frame, and how many messages that is. */
  let leaving = "";
  let count = 0;
  /** What the server takes as a frame. */
  let messageBytes = Infinity;
  /** Messages of a frame that are not handled yet. */
  let arrived: string[] = [];

  function open() {
    env.clearTimeout(retryTimer);
    state = "connecting";
    departing = false;
    listener.connecting();
    let mine: SocketLike;
    try {
      mine = fallback && env.openFallback ? env.openFallback(url) : env.openSocket(url, SUBPROTOCOL);
    } catch (error) {
      lost(ABNORMAL, String(error));
      return;
    }
    socket = mine;
    expect(WELCOME_MS);
    mine.onopen = () => {
      if (socket === mine) mine.send(listener.hello());
    };
    mine.onmessage = (event) => {
      if (socket !== mine) return;
      arrived = arrived.concat(String(event.data).split("\n"));
      handle(0);
    };
    mine.onclose = (event) => {
      if (socket === mine) lost(event.code, event.reason);
    };
  }

  function expect(ms: number) {
    if (deadline === null) deadline = env.setTimeout(() => end(ABNORMAL, "The server is silent"), ms);
  }

  function calm() {
    env.clearTimeout(deadline);
    deadline = null;
  }

  function sendPing() {
    expect(PONG_MS);
    send(ping());
  }

  function beat() {
    beatTimer = env.setTimeout(() => {
      sendPing();
      beat();
    }, heartbeatMs);
  }

  /** Messages of one frame are to each other as those of several: each finds done what followed from the one before. */
  function handle(turns: number) {
    if (turns) env.soon(() => handle(turns - 1));
    else if (arrived.length) {
      if (state === "open") calm();
      const message = decode(arrived.shift());
      if (message) listener.message(message);
      handle(TURNS);
    } else flush();
  }

  function send(text: string) {
    if (count >= FRAME_MESSAGES || leaving.length + text.length >= Math.min(FRAME_LENGTH, messageBytes / CHARACTER_BYTES)) flush();
    // The calls that the answers of a frame lead to leave together, too.
    if (!count++) env.soon(() => arrived.length || flush());
    leaving += (leaving && "\n") + text;
  }

  function flush() {
    if (socket && leaving) socket.send(leaving);
    leaving = "";
    count = 0;
  }

  /** Ends the connection from this side. The old socket is not waited for: it may take minutes to notice. */
  function end(code: number, reason: string) {
    const old = socket;
    env.clearTimeout(retryTimer);
    if (old) {
      flush();
      socket = null;
      old.close(NORMAL);
    }
    if (state !== "closed") lost(code, reason);
  }

  function lost(code: number, reason: string) {
    const wasOpen = state === "open";
    socket = null;
    state = "closed";
    // Goes nowhere: the calls among it are made again.
    flush();
    arrived = [];
    calm();
    env.clearTimeout(beatTimer);
    const final = FINAL.includes(code);
    if (final) wanted = false;
    const now = env.now();
    if (wasOpen && now - openedAt >= STABLE_MS) attempts = 0;
    if (code === TOO_MANY) notBefore = now + PENALTY_MS;
    // Until one way is known to work, they take turns.
    if (!wasOpen && !proven) fallback = !fallback;
    listener.closed(code, reason, final, wasOpen);
    if (!wanted || hidden || state !== "closed") return;
    const wait = env.random() * Math.min(BACKOFF_MOST_MS, BACKOFF_MS * 2 ** attempts++);
    // A server that named the time has spread its clients already.
    retry(Math.max(0, notBefore - now) + (departing ? 0 : wait));
  }

  function retry(ms: number) {
    env.clearTimeout(retryTimer);
    retryTimer = env.setTimeout(open, ms);
  }

  /** The network or the person is back: no reason to wait, and every reason to doubt an open socket. */
  function wake() {
    if (!wanted || hidden) return;
    if (state === "open") sendPing();
    else if (state === "closed") {
      attempts = 0;
      const wait = notBefore - env.now();
      if (wait > 0) retry(wait);
      else open();
    }
  }

  env.document.addEventListener("visibilitychange", () => {
    if (env.document.visibilityState !== "visible") return;
    hidden = false;
    wake();
  });
  env.window.addEventListener("online", wake);
  // An open socket would keep the page out of the back/forward cache.
  env.window.addEventListener("pagehide", () => {
    hidden = true;
    end(NORMAL, "The page is hidden");
  });
  env.window.addEventListener("pageshow", () => {
    if (!hidden) return;
    hidden = false;
    wake();
  });

  return {
    state: () => state,
    ready: () => state === "open" && !departing,
    messageBytes: () => messageBytes,
    send,
    welcomed(options) {
      state = "open";
      if (!fallback) proven = true;
      openedAt = env.now();
      calm();
      messageBytes = options.message_bytes || Infinity;
      heartbeatMs = options.heartbeat_ms || HEARTBEAT_MS;
      beat();
    },
    leave(afterMs) {
      departing = true;
      notBefore = env.now() + afterMs;
      env.clearTimeout(retryTimer);
      // Answers still come, unless the server goes earlier: it waits for calls that run, and so does this.
      retryTimer = env.setTimeout(function turn() {
        if (listener.busy()) retryTimer = env.setTimeout(turn, ANSWER_MS);
        else end(NORMAL, "The server goes away");
      }, afterMs);
    },
    connect() {
      wanted = true;
      wake();
    },
    disconnect() {
      wanted = false;
      end(NORMAL, "The page disconnected");
    },
  };
}
