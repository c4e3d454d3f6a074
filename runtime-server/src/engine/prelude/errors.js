// What a failure is called: the codes of the published table, and text that can be shown.
(function (ss) {
  "use strict";
  const { Error, InternalError, RangeError, String, getPrototypeOf, wellFormed, freeze } = ss.p;

  /** A failure that has a code of the table; `SS.server.a.b()` rejects with it. */
  class SSError extends Error {
    #coded = true;
    constructor(code, message) {
      super(message);
      this.code = code;
    }
    get name() {
      return "SSError";
    }
    static is(value) {
      return typeof value === "object" && value !== null && #coded in value;
    }
  }
  freeze(SSError.prototype);
  freeze(SSError);

  const internal = InternalError.prototype;
  const range = RangeError.prototype;

  /** Text of anything, never throwing. */
  function text(value) {
    try {
      return wellFormed(String(value));
    } catch {
      return "a value that cannot be shown";
    }
  }

  /** What was thrown, as `{code, message, stack}`. */
  function describe(error) {
    const found = { __proto__: null, code: "action_error", message: "", stack: null };
    try {
      if (typeof error !== "object" || error === null) {
        found.message = text(error);
        // QuickJS throws null when there is not even the memory for an error.
        if (error === null) {
          found.code = "memory_limit";
          found.message = "out of memory (or null was thrown)";
        }
        return found;
      }
      const { message, stack } = error;
      found.message = message === undefined ? text(error) : text(message);
      if (typeof stack === "string") found.stack = wellFormed(`${text(error)}\n${stack}`);
      const proto = getPrototypeOf(error);
      if (proto === internal && message === "out of memory") found.code = "memory_limit";
      else if (proto === range && message === "Maximum call stack size exceeded") found.code = "stack_limit";
      else if (SSError.is(error)) found.code = error.code;
    } catch {
      found.message = "an error that cannot be shown";
    }
    return found;
  }

  ss.SSError = SSError;
  ss.describe = describe;
  ss.text = text;
});
