// A line typed at a console, evaluated where the app runs.
(function (ss) {
  "use strict";
  const { Map, TypeError, apply, create, freeze, keys, ownKeys, getPrototypeOf, mapGet, mapSet, replace, textSplit } = ss.p;

  const AsyncFunction = getPrototypeOf(async function () {}).constructor;
  /** What a console has kept, by its session: the last value, and its own `SS`. */
  const consoles = new Map();

  /** The actions, called with the console's session. */
  function carried(tree, context) {
    const made = create(null);
    const names = keys(tree);
    for (let i = 0; i < names.length; i++) {
      const value = tree[names[i]];
      made[names[i]] = typeof value === "function" ? (...args) => apply(value, context, args) : carried(value, context);
    }
    return freeze(made);
  }

  function consoleOf(view, state) {
    const known = mapGet(consoles, view[0]);
    const context = ss.context({}, state);
    const SS = freeze({ __proto__: globalThis.SS, server: carried(globalThis.SS.server, context) });
    const made = { __proto__: null, last: known ? known.last : undefined, SS, context };
    mapSet(consoles, view[0], made);
    return made;
  }

  const names = ["SS", "session", "user", "_"];

  /** Evaluates an expression, else statements. Names that a line declares stay. */
  function evaluate(code, here) {
    const given = [here.SS, here.context.session, here.context.user, here.last];
    const kept = replace(code, /^\s*(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=/, "globalThis.$1 =");
    let made;
    try {
      made = new AsyncFunction(...names, `return (${kept}\n)`);
    } catch {
      made = new AsyncFunction(...names, kept);
    }
    return apply(made, undefined, given);
  }

  ss.evaluate = (id, code, view, request) => {
    const state = ss.callState(id, view, request);
    const ends = ss.answers(state, "the console");
    const here = consoleOf(view, state);
    const done = (value) => {
      here.last = value;
      ends.answer(value === undefined ? "undefined" : ss.format([typeof value === "string" ? ss.p.stringify(value) : value]));
    };
    ss.p.when(evaluate(code, here), done, ends.fail);
    ends.wait();
  };

  /** How a path may go on: the names below the part before the last dot. */
  ss.complete = (id, text, view, request) => {
    const state = ss.callState(id, view, request);
    const ends = ss.answers(state, "the console");
    const parts = textSplit(text, ".");
    let value = { __proto__: null, SS: globalThis.SS, R: null, session: null, user: null };
    try {
      for (let i = 0; i < parts.length - 1; i++) {
        value = value[parts[i]];
        if (value === null || (typeof value !== "object" && typeof value !== "function")) throw new TypeError("nothing is below");
      }
      const found = ownKeys(value);
      const fitting = [];
      for (let i = 0; i < found.length; i++) {
        if (typeof found[i] === "string" && found[i].startsWith(parts[parts.length - 1])) fitting[fitting.length] = found[i];
      }
      ends.answer(fitting.sort());
    } catch {
      ends.answer([]);
    }
  };
});
