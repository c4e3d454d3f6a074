// config/db.*: what runs before everything else, and what is held back until it is done.
(function (ss) {
  "use strict";
  const { Error, TypeError, when, isArray, slice } = ss.p;

  /** What is kept until the app has started; `null` when it has. */
  let held = null;
  let broken = null;

  const first = (exports) => {
    if (typeof exports === "function") return exports;
    if (typeof exports?.default === "function") return exports.default;
    if (typeof exports?.init === "function") return exports.init;
    return typeof exports?.default?.init === "function" ? exports.default.init : null;
  };

  /** A promise of the app's start, or `null` when nothing has to be waited for. */
  ss.started = null;

  /** Runs what config/db.* exports: the module itself has been evaluated. */
  ss.startUp = (exports) => {
    const start = first(exports);
    const promise = ss.promised(start === null ? exports?.default ?? null : start());
    if (promise === null) return;
    held = [];
    const open = () => {
      const list = held;
      held = null;
      for (let i = 0; i < list.length; i++) ss.entry.receive(list[i]);
    };
    ss.started = when(promise, open, (error) => {
      broken = ss.describe(error).message;
      ss.breakCalls();
      ss.report("config/db did not start", error);
      open();
      throw error;
    });
    when(ss.started, undefined, () => {});
  };

  /** Whether a message has to wait; then it is received again later. */
  ss.holds = (text) => {
    if (held === null) return false;
    held[held.length] = text;
    return true;
  };

  ss.checkStarted = () => {
    if (broken !== null) throw new ss.SSError("action_error", `the app has not started: ${broken}`);
  };

  const functions = (value) => {
    if (typeof value === "function") return [value];
    return isArray(value) ? slice(value) : null;
  };

  /** The functions of config/http.*, in their order: a function or a list, as `module.exports`, `default`, `middleware` or `call`. */
  ss.middlewareOf = (exports) => {
    const list =
      functions(exports) ?? functions(exports?.default) ?? functions(exports?.middleware) ?? functions(exports?.call) ??
      functions(exports?.default?.middleware) ?? functions(exports?.default?.call);
    if (list === null) throw new Error("config/http exports no middleware: a function or a list of functions is wanted");
    for (let i = 0; i < list.length; i++) {
      if (typeof list[i] !== "function") throw new TypeError(`the middleware number ${i + 1} of config/http is no function`);
    }
    return list;
  };
});
