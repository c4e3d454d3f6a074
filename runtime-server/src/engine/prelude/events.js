// `SS.events` of the server: what happens around the calls (config/events.*).
(function (ss) {
  "use strict";
  const { Map, TypeError, apply, freeze, isArray, keys, stringify, mapGet, mapSet, when } = ss.p;

  /** Events that the host tells; the others happen in here. */
  const TOLD = { __proto__: null, "client:init": true, "client:disconnect": true, "client:heartbeat": true };
  const KNOWN = { __proto__: null, ...TOLD, "channel:subscribe": true, "channel:unsubscribe": true, "application:exception": true };

  const handlers = new Map();

  /** Events that the host is to tell, for a carrier that has to say so before it is at work. */
  ss.wanted = [];

  function check(event, fn) {
    if (typeof event !== "string" || !KNOWN[event]) {
      throw new TypeError(`there is no event '${ss.text(event)}'; there are ${ss.p.join(keys(KNOWN), ", ")}`);
    }
    if (typeof fn !== "function") throw new TypeError("SS.events wants a function");
  }

  function on(event, fn) {
    check(event, fn);
    const known = mapGet(handlers, event);
    if (!known && TOLD[event]) {
      ss.wanted[ss.wanted.length] = event;
      ss.tell("events", `,${stringify([event])}`);
    }
    // A new list: one that is being called stays as it is.
    mapSet(handlers, event, known ? [...known, fn] : [fn]);
  }

  function off(event, fn) {
    check(event, fn);
    const known = mapGet(handlers, event) ?? [];
    const kept = [];
    for (let i = 0; i < known.length; i++) if (known[i] !== fn && known[i].once !== fn) kept[kept.length] = known[i];
    mapSet(handlers, event, kept);
  }

  function once(event, fn) {
    check(event, fn);
    const first = (...args) => {
      off(event, first);
      return apply(fn, undefined, args);
    };
    first.once = fn;
    on(event, first);
  }

  ss.events = freeze({ on, once, off });

  /** Calls the handlers of an event; what they throw is logged, and is no event again. */
  ss.emit = (event, args, after) => {
    const list = mapGet(handlers, event);
    if (!list) return;
    for (let i = 0; i < list.length; i++) {
      const failed = (error) => ss.report(`a handler of '${event}' failed`, error);
      try {
        const late = ss.promised(apply(list[i], undefined, args));
        if (late) when(late, after, failed);
        else if (after) after();
      } catch (error) {
        failed(error);
      }
    }
  };

  /** An event of the host, with the session as it is now. */
  ss.told = (event, view, connection) => {
    const session = view === null ? null : new ss.Session(view, connection);
    const flush = session ? () => ss.callBack("saving the session", () => ss.Session.flush(session)) : undefined;
    ss.emit(event, [session], flush);
  };

  /** A call failed, or something that nobody waits for. */
  ss.exception = (error, what) => {
    if (!mapGet(handlers, "application:exception")) return;
    ss.emit("application:exception", [error, what]);
  };

  /** Functions that config/events.* exports by the names of events. */
  ss.exportedEvents = (exports) => {
    const names = keys(KNOWN);
    for (let i = 0; i < names.length; i++) {
      const fn = exports?.[names[i]] ?? exports?.default?.[names[i]];
      const list = isArray(fn) ? fn : fn === undefined ? [] : [fn];
      for (let j = 0; j < list.length; j++) on(names[i], list[j]);
    }
  };
});
