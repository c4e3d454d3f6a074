// The functions of `SS.server`, and what their arguments mean.

import type { Answer } from "./answer";
import type { Options } from "./rpc";

/** A function of `SS.server`: data arguments, then perhaps options, then perhaps a callback. */
export type Action = (...args: any[]) => Answer;

/** Makes functions of actions. */
export interface Actions {
  /** `params`: how many data parameters the action has, -1 when its last takes all the rest. */
  create(path: string, params: number): Action;
  /** `SS.with`: the same action, called with options. */
  with(options: Options, action: Action): Action;
}

/** Calls end in `make`. */
export function createActions(
  make: (path: string, args: unknown[], options: Options, callback?: (value: any) => void) => Answer,
): Actions {
  const known = new WeakMap<Action, { path: string; params: number; options: Options }>();

  function build(path: string, params: number, options: Options): Action {
    const action: Action = function (...args) {
      // What was left out on purpose is left out: `square(25, maybeCallback)`.
      while (args.length && args[args.length - 1] === undefined) args.pop();
      const callback = typeof args[args.length - 1] === "function" ? args.pop() : undefined;
      const trailing = params >= 0 && args.length > params && isOptions(args[args.length - 1]) ? args.pop() : {};
      return make(path, args, { ...options, ...trailing }, callback);
    };
    known.set(action, { path, params, options });
    return action;
  }

  return {
    create: (path, params) => build(path, params, {}),
    with(options, action) {
      const of = known.get(action);
      if (!of) throw new TypeError("SS.with wants a function of SS.server");
      return build(of.path, of.params, { ...of.options, ...options });
    },
  };
}

/** Whether it is a non-empty object of options only, as 2011 code writes it behind the data. */
function isOptions(value: unknown): boolean {
  const keys = value && typeof value === "object" ? Object.keys(value) : [];
  return keys.length > 0 && keys.every((key) => key === "silent" || key === "timeout_ms" || key === "volatile");
}
