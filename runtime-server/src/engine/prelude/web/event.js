// Events and aborting (WHATWG DOM, sections 2 and 3), as far as they make sense without a document.
(function (ss) {
  "use strict";
  const { Map, TypeError, hidden, mapGet, mapSet, isArray } = ss.p;
  const { DOMException, setTimeout } = globalThis;

  class Event {
    #type;
    #cancelable;
    #target = null;
    #prevented = false;
    #stopped = false;
    constructor(type, options) {
      this.#type = `${type}`;
      this.#cancelable = Boolean(options?.cancelable);
    }
    get type() {
      return this.#type;
    }
    get target() {
      return this.#target;
    }
    get currentTarget() {
      return this.#target;
    }
    get cancelable() {
      return this.#cancelable;
    }
    get defaultPrevented() {
      return this.#prevented;
    }
    preventDefault() {
      if (this.#cancelable) this.#prevented = true;
    }
    stopPropagation() {}
    stopImmediatePropagation() {
      this.#stopped = true;
    }
    static aim(event, target) {
      event.#target = target;
    }
    static stopped(event) {
      return event.#stopped;
    }
  }
  const { aim, stopped } = Event;
  delete Event.aim;
  delete Event.stopped;

  class EventTarget {
    #listeners = new Map();
    addEventListener(type, callback, options) {
      if (callback === null || callback === undefined) return;
      const once = typeof options === "object" && options !== null && Boolean(options.once);
      const signal = typeof options === "object" && options !== null ? options.signal : undefined;
      if (signal && signal.aborted) return;
      const list = mapGet(this.#listeners, `${type}`) ?? [];
      for (let i = 0; i < list.length; i++) if (list[i].callback === callback) return;
      mapSet(this.#listeners, `${type}`, [...list, { callback, once }]);
      if (signal) signal.addEventListener("abort", () => this.removeEventListener(type, callback), { once: true });
    }
    removeEventListener(type, callback) {
      const list = mapGet(this.#listeners, `${type}`);
      if (list) mapSet(this.#listeners, `${type}`, list.filter((listener) => listener.callback !== callback));
    }
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw new TypeError("dispatchEvent wants an Event");
      aim(event, this);
      const list = mapGet(this.#listeners, event.type) ?? [];
      for (let i = 0; i < list.length && !stopped(event); i++) {
        const { callback, once } = list[i];
        if (once) this.removeEventListener(event.type, callback);
        ss.callBack(`a listener of '${event.type}'`, () => {
          if (typeof callback === "function") callback.call(this, event);
          else callback.handleEvent(event);
        });
      }
      return !event.defaultPrevented;
    }
  }

  let making = false;
  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    onabort = null;
    constructor() {
      super();
      if (!making) throw new TypeError("Illegal constructor");
    }
    get aborted() {
      return this.#aborted;
    }
    get reason() {
      return this.#reason;
    }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }
    static end(signal, reason) {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
      const event = new Event("abort");
      if (typeof signal.onabort === "function") ss.callBack("onabort", () => signal.onabort(event));
      signal.dispatchEvent(event);
    }
    static abort(reason) {
      const signal = make();
      end(signal, reason);
      return signal;
    }
    static timeout(ms) {
      const signal = make();
      setTimeout(() => end(signal, new DOMException("The operation timed out", "TimeoutError")), ms);
      return signal;
    }
    static any(signals) {
      const made = make();
      const list = isArray(signals) ? signals : [...signals];
      for (let i = 0; i < list.length; i++) {
        if (list[i].aborted) {
          end(made, list[i].reason);
          return made;
        }
      }
      for (let i = 0; i < list.length; i++) list[i].addEventListener("abort", () => end(made, list[i].reason), { once: true });
      return made;
    }
  }
  const { end } = AbortSignal;
  delete AbortSignal.end;
  function make() {
    making = true;
    try {
      return new AbortSignal();
    } finally {
      making = false;
    }
  }

  class AbortController {
    #signal = make();
    get signal() {
      return this.#signal;
    }
    abort(reason) {
      end(this.#signal, reason);
    }
  }

  for (const made of [Event, EventTarget, AbortSignal, AbortController]) hidden(globalThis, made.name, made);
});
