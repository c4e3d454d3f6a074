// What a failure is called: the codes of the published table, and text that can be shown.
(function (ss) {
  "use strict";
  const { Error, InternalError, RangeError, String, getPrototypeOf, indexOf, wellFormed, freeze } = ss.p;
  const { host } = ss;
  const onNode = host.builtin !== undefined;

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

  const internal = onNode ? undefined : InternalError.prototype;
  const range = RangeError.prototype;

  /** Text of anything, never throwing. */
  function text(value) {
    try {
      return wellFormed(String(value));
    } catch {
      return "a value that cannot be shown";
    }
  }

  /** The code of what was thrown. QuickJS throws null when there is not even the memory for an error, or one without words. */
  function codeOf(error, message) {
    if (error === null) return !onNode && host.memoryWasFull?.() ? "memory_limit" : "action_error";
    if (typeof error !== "object") return "action_error";
    const proto = getPrototypeOf(error);
    if (!onNode && proto === internal && (message === "out of memory" || (message === "" && host.memoryWasFull?.()))) return "memory_limit";
    if (onNode && proto === range && message === "Array buffer allocation failed") return "memory_limit";
    if (proto === range && message === "Maximum call stack size exceeded") return "stack_limit";
    return SSError.is(error) ? error.code : "action_error";
  }

  /** What was thrown, as `{code, message, stack}`. */
  function describe(error) {
    const found = { __proto__: null, code: "action_error", message: "an error that cannot be shown", stack: null };
    try {
      const message = typeof error === "object" && error !== null ? error.message : undefined;
      found.code = codeOf(error, message);
      if (found.code === "memory_limit" && (error === null || message === "")) found.message = "out of memory";
      else found.message = text(message === undefined ? error : message);
      const stack = typeof error === "object" && error !== null ? error.stack : undefined;
      // QuickJS gives the frames alone, V8 begins with the error as text.
      if (typeof stack === "string") found.stack = wellFormed(indexOf(stack, "    at ") === 0 ? `${text(error)}\n${stack}` : stack);
    } catch (failure) {
      // What this threw may itself be the lack of memory or of stack.
      try {
        if (found.code === "action_error") found.code = codeOf(failure, failure?.message);
      } catch {}
    }
    return found;
  }

  ss.SSError = SSError;
  ss.describe = describe;
  ss.text = text;
});
