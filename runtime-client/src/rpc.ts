// Calls: each has an id, a deadline and one end. Those that cannot be sent yet wait in line; those that were under way
// when the line broke are sent again under their own id, and the server sees to it that none runs twice.

import { Answer, hush } from "./answer";
import type { Env } from "./env";
import { SSError } from "./failure";
import type { Log } from "./log";
import type { Page } from "./page";
import { callText } from "./protocol";
import type { Call } from "./protocol";

/** How a call is to be made. */
export interface Options {
  /** Not in the log. */
  silent?: boolean;
  /** Time to answer, in milliseconds; 0 is for ever. */
  timeout_ms?: number;
  /** Sent at once or not at all. */
  volatile?: boolean;
}

/** The line that calls go out on. */
export interface Line {
  /** Whether calls can be sent now. */
  ready(): boolean;
  send(text: string): void;
  /** Largest message that the server takes, in bytes. */
  messageBytes(): number;
}

/** All calls of this page. */
export interface Calls {
  make(action: string, args: unknown[], options: Options, callback?: (value: any) => void): Answer;
  /** The line can take calls from now on. */
  opened(): void;
  /** The line broke; `final` when it will not come back. */
  closed(final: boolean): void;
  /** Whether an answer is still awaited. */
  busy(): boolean;
  succeeded(id: number, value: unknown): void;
  failed(id: number, error: SSError): void;
}

interface Pending extends Call {
  options: Options;
  end(error: SSError | null, value?: unknown): void;
}

/** Time to answer unless the call or `SS.config.call_timeout_ms` says otherwise. */
const TIMEOUT_MS = 30000;
/** Calls that may wait in line, unless `SS.config.queue_calls` says otherwise. */
const QUEUE_CALLS = 500;
/** Calls that may be under way: the server's `limits.calls_per_connection`. */
const WINDOW_CALLS = 256;
/** Messages sent at once and per second: below the server's limits, so that emptying the line never breaks them. */
const BURST_MESSAGES = 150;
const MESSAGES_PER_SECOND = 80;
/** The longest time that a browser's timer can wait. */
const LONGEST_MS = 0x7fffffff;

/** No calls yet. `raise` takes what callbacks throw, `report` the failures that nobody listens to. */
export function createCalls(
  env: Env,
  page: Page,
  line: Line,
  log: Log,
  raise: (error: unknown) => void,
  report: (error: SSError) => void,
): Calls {
  const underway = new Map<number, Pending>();
  let waiting: Pending[] = [];
  let lastId = 0;
  let ended = false;
  let tokens = BURST_MESSAGES;
  let countedAt = 0;
  let pace: unknown = null;

  function limit(name: string, otherwise: number): number {
    const value = page.config[name];
    return typeof value === "number" ? value : otherwise;
  }

  function mayTake(): boolean {
    const now = env.now();
    tokens = Math.min(BURST_MESSAGES, tokens + ((now - countedAt) * MESSAGES_PER_SECOND) / 1000);
    countedAt = now;
    return line.ready() && underway.size < WINDOW_CALLS && tokens >= 1;
  }

  function pump() {
    while (waiting.length && mayTake()) {
      const call = waiting.shift() as Pending;
      const text = callText(call);
      if (bytes(text) > line.messageBytes()) {
        call.end(failure("too_large", call, "is larger than the server takes"));
        continue;
      }
      tokens -= 1;
      underway.set(call.id, call);
      line.send(text);
    }
    if (waiting.length && !pace && line.ready() && tokens < 1) {
      pace = env.setTimeout(() => {
        pace = null;
        pump();
      }, 1000 / MESSAGES_PER_SECOND);
    }
  }

  function failure(code: string, call: { action: string }, why: string): SSError {
    // As in the book's error table.
    return new SSError(code, "The call of '" + call.action + "' " + why, code === "offline" || code === "timeout");
  }

  function make(action: string, args: unknown[], options: Options, callback?: (value: any) => void): Answer {
    let resolve: (value: unknown) => void = noop;
    let reject: (error: SSError) => void = noop;
    const answer = new Answer((yes, no) => {
      resolve = yes;
      reject = no;
    });
    hush(answer);

    let timer: unknown;
    const call: Pending = {
      id: ++lastId,
      action,
      args: "[]",
      options,
      resent: false,
      end(error, value) {
        env.clearTimeout(timer);
        underway.delete(call.id);
        call.end = noop;
        if (error) {
          error.action = action;
          reject(error);
          // A volatile call that got lost has done what was asked of it.
          const lost = error.code === "offline" || error.code === "outcome_unknown";
          if (!answer.heard && !(options.volatile && lost)) report(error);
          return;
        }
        resolve(value);
        if (!options.silent) log.response(action, value);
        if (callback) {
          try {
            callback(value);
          } catch (thrown) {
            raise(thrown);
          }
        } else if (!answer.heard && !options.silent) log.answer(value);
      },
    };

    // Later, so that the caller has had the chance to listen.
    const refuse = (error: SSError) => {
      env.setTimeout(() => call.end(error), 0);
      return answer;
    };

    try {
      call.args = JSON.stringify(args);
    } catch (error) {
      return refuse(failure("bad_request", call, "has arguments that are not JSON: " + (error as Error).message));
    }
    if (ended) return refuse(failure("offline", call, "was not sent: the connection was ended for good"));
    if (options.volatile ? waiting.length || !mayTake() : waiting.length >= limit("queue_calls", QUEUE_CALLS)) {
      const why = "was not sent: " + (options.volatile ? "it would have to wait" : "the queue is full");
      return refuse(failure("offline", call, why));
    }

    const timeout = typeof options.timeout_ms === "number" ? options.timeout_ms : limit("call_timeout_ms", TIMEOUT_MS);
    if (timeout > 0 && timeout <= LONGEST_MS) {
      timer = env.setTimeout(() => {
        waiting = waiting.filter((other) => other !== call);
        call.end(failure("timeout", call, "had no answer in " + timeout + " ms"));
        pump();
      }, timeout);
    }
    if (!options.silent) log.request(action, call.args);
    waiting.push(call);
    pump();
    return answer;
  }

  function closed(final: boolean) {
    const broken = Array.from(underway.values());
    underway.clear();
    ended = final;
    const again = final ? [] : broken.filter((call) => !call.options.volatile);
    for (const call of broken) {
      call.resent = true;
      if (again.indexOf(call) < 0) call.end(failure("outcome_unknown", call, "lost its connection"));
    }
    const unsent = waiting;
    waiting = final ? [] : again.concat(unsent);
    if (final) for (const call of unsent) call.end(failure("offline", call, "was not sent: the connection was ended for good"));
  }

  function settle(id: number, error: SSError | null, value?: unknown) {
    const call = underway.get(id);
    if (!call) return;
    call.end(error, value);
    pump();
  }

  return {
    make,
    opened() {
      ended = false;
      tokens = BURST_MESSAGES;
      countedAt = env.now();
      pump();
    },
    closed,
    busy: () => underway.size > 0,
    succeeded: (id, value) => settle(id, null, value),
    failed: (id, error) => settle(id, error),
  };
}

function noop() {}

/** How long a text is in UTF-8. */
function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
