// What the client uses of its surroundings, in one object: a test gives its own clock, chance, document and server.

import { openFallback } from "./fallback";

/** The part of a WebSocket that is used. */
export interface SocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** The surroundings. */
export interface Env {
  /** Opens a socket that speaks the given sub-protocol. */
  openSocket(url: string, protocol: string): SocketLike;
  /** The same without websockets, where that can be had. */
  openFallback?(url: string): SocketLike;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Calls it once what runs has ended, before anything else happens. */
  soon(fn: () => void): void;
  /** Milliseconds of any clock that only goes forward. */
  now(): number;
  /** At least 0, less than 1. */
  random(): number;
  /** That many bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array;
  fetch(url: string, init: RequestInit): Promise<{ ok: boolean; status: number }>;
  console: Pick<Console, "log" | "warn" | "error">;
  document: Document;
  window: Window & { app?: { init?: unknown } };
}

/** The browser's own. */
export function browserEnv(): Env {
  return {
    openSocket: (url, protocol) => new WebSocket(url, protocol),
    openFallback,
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    soon: (fn) => void Promise.resolve().then(fn),
    now: () => performance.now(),
    random: () => Math.random(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    fetch: (url, init) => fetch(url, init),
    console,
    document,
    window,
  };
}
