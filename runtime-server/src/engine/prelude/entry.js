// The one door for the host: a message in, one task of JavaScript run.
(function (ss) {
  "use strict";
  const { create, parse, freeze, slice, charCodeAt, indexOf, textSlice, Error } = ss.p;
  const { blame, numberedCall } = ss;

  /** How a call begins, and how several do that came together. */
  const [CALL, CALLS] = [62, 42];

  /** The paths of actions that were called, by their JSON. */
  const paths = create(null);

  /** A call, cut by hand since it is what comes most: `>id`, path, arguments and what it knows, between tabs. */
  function call(text) {
    const path = indexOf(text, "\t", 1) + 1;
    const args = indexOf(text, "\t", path) + 1;
    const known = indexOf(text, "\t", args) + 1;
    const id = +textSlice(text, 1, path - 1);
    const quoted = textSlice(text, path, args - 1);
    blame(id);
    ss.call(id, (paths[quoted] ??= parse(quoted)), parse(textSlice(text, args, known - 1)), textSlice(text, known));
  }

  /**
   * The calls that came together: the number of the next, and of each its action, and its arguments as their count and one by one, or as -1
   * and the list of them. The client's numbers follow each other but where -1 and another one stand before a call.
   */
  let id = 0;
  let calls = [];
  let at = 1;
  let number = 0;
  let known = "";
  /** Why not one of them can be begun with. */
  let broken = null;

  /** Takes `*first,count`, what they know, and the calls. */
  function take(text) {
    const about = indexOf(text, "\t", 1) + 1;
    const list = indexOf(text, "\t", about) + 1;
    const comma = indexOf(text, ",", 1);
    blame(0);
    id = +textSlice(text, 1, comma);
    const count = +textSlice(text, comma + 1, about - 1);
    at = 1;
    calls = none;
    broken = null;
    known = textSlice(text, about, list - 1);
    if (ss.holds(text)) return count;
    try {
      calls = parse(textSlice(text, list));
    } catch (error) {
      broken = { __proto__: null, error };
    }
    return count;
  }
  const none = [];

  function argumentsAt(from, count) {
    switch (count) {
      case -1:
        return calls[from];
      case 0:
        return [];
      case 2:
        return [calls[from], calls[from + 1]];
      default:
        return slice(calls, from, from + count);
    }
  }

  /** Runs the next of them. */
  function next() {
    if (at >= calls.length) {
      if (broken !== null) ss.failCall(id++, broken.error);
      return;
    }
    if (calls[at] === -1) {
      number = calls[at + 1];
      at += 2;
    } else number++;
    const i = at;
    const count = calls[i + 1];
    at = i + 2 + (count < 0 ? 1 : count);
    blame(id);
    // Mostly it is one.
    numberedCall(id++, number, calls[i], count === 1 ? [calls[i + 2]] : argumentsAt(i + 2, count), known);
  }
  ss.entry = freeze({
    __proto__: null,
    /** Takes calls that came together; gives their count. Each is run by `next`. */
    take,
    next,
    /** Runs one message of the host (book/src/internals/engine.md). */
    receive(text) {
      blame(0);
      if (charCodeAt(text, 0) === CALL) return void (ss.holds(text) || call(text));
      if (charCodeAt(text, 0) === CALLS) {
        // They were held back.
        for (let count = take(text); count > 0; count--) next();
        return;
      }
      const message = parse(text);
      switch (message[0]) {
        case "authenticate":
        case "event":
        case "http":
        case "evaluate":
          if (ss.holds(text)) return;
      }
      switch (message[0]) {
        case "reply":
          return ss.answered(message[1], message[2], message[3]);
        case "timer":
          return ss.timer(message[1]);
        case "authenticate":
          blame(message[1]);
          return ss.authenticateCall(message[1], message[2], message[3], message[4], message[5]);
        case "http":
          blame(message[1]);
          return ss.http(message[1], message[2]);
        case "evaluate":
          blame(message[1]);
          return ss.evaluate(message[1], message[2], message[3], message[4]);
        case "complete":
          blame(message[1]);
          return ss.complete(message[1], message[2], message[3], message[4]);
        case "event":
          return ss.told(message[1], message[2], message[3]);
        case "disconnected":
          return ss.disconnected(message[1], message[2]);
        case "end":
          return ss.ended(message[1]);
        default:
          throw new Error("the host sent a message of an unknown kind");
      }
    },
    /** The call that the last message was about, to be blamed when it was stopped; 0 for none. */
    owner: () => ss.owner(),
    /** Logs a rejection that nobody has handled when its task is over. */
    unhandled: (reason) => ss.report("a promise was rejected and nobody handled it", reason),
    /** What was thrown where nobody catches: it fails the call on whose behalf it ran, or is logged. */
    uncaught(error) {
      const what = "an exception was thrown and nobody caught it";
      ss.exception(error, what);
      ss.failOwner(what, error);
    },
    load: () => ss.load(),
    bundle: ss.bundle,
  });
});
