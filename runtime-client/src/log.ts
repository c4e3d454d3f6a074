// The browser's console, by the levels of 2011: 1 errors, 2 answers and events, 3 with parameters, 4 requests too.

import type { Env } from "./env";
import type { Page } from "./page";

/** Writes what the level lets through. */
export interface Log {
  /** The level in force. */
  level: number;
  /** An error; `always` when nobody else was told of it. */
  error(error: unknown, always?: boolean): void;
  /** A call that was made. */
  request(action: string, args: string): void;
  /** The answer of a call. */
  response(action: string, value: unknown): void;
  /** An event that came in. */
  event(name: string, params: unknown, heard: boolean): void;
  /** What a call answered that nobody listens to. */
  answer(value: unknown): void;
  /** A line of the server's log, in development. */
  server(level: number, text: string): void;
}

/** The log of this page. */
export function createLog(env: Env, page: Page): Log {
  const console = env.console;
  const configured = page.config.log && page.config.log.level;
  const level = typeof configured === "number" ? configured : page.env === "production" ? 0 : 2;

  function line(mark: string, params: unknown) {
    if (level > 2) console.log(mark, params);
    else if (level > 1) console.log(mark);
  }

  return {
    level,
    error(error, always) {
      if (always || level > 0) console.error(error);
    },
    request(action, args) {
      if (level > 3) console.log("<- " + action, args);
    },
    response: (action, value) => line("-> " + action, value),
    event: (name, params, heard) => line("=> " + name + (heard ? "" : " (no handler)"), params),
    answer(value) {
      if (page.env === "development") console.log(value);
    },
    server(at, text) {
      console[at < 1 ? "error" : at < 2 ? "warn" : "log"](text);
    },
  };
}
