// Events by name: `SS.events`, and the events of `SS.socket`.

/** Takes an event's parameters and the channel that it came on, if it came on one. */
export type Handler = (params?: any, channel?: string) => void;

/** Handlers by event. */
export interface Emitter {
  on(name: string, handler: Handler): void;
  /** Like `on`, for one time. */
  once(name: string, handler: Handler): void;
  /** Removes a handler, or all of that name. */
  off(name: string, handler?: Handler): void;
  /** Calls the handlers of that name in the order in which they came; says whether there was any. */
  emit(name: string, params?: unknown, channel?: string): boolean;
}

/** An emitter without handlers. What a handler throws goes to `raise`; the others run all the same. */
export function createEmitter(raise: (error: unknown) => void): Emitter {
  const handlers = new Map<string, { handler: Handler; once: boolean }[]>();

  function add(name: string, handler: Handler, once: boolean) {
    if (typeof handler !== "function") throw new TypeError("The handler of '" + name + "' is not a function");
    handlers.set(name, (handlers.get(name) || []).concat({ handler, once }));
  }

  // Lists are replaced, never changed, so that a handler may add and remove handlers while an event is given out.
  function keep(name: string, wanted: (entry: { handler: Handler }) => boolean) {
    const rest = (handlers.get(name) || []).filter(wanted);
    if (rest.length) handlers.set(name, rest);
    else handlers.delete(name);
  }

  return {
    on: (name, handler) => add(name, handler, false),
    once: (name, handler) => add(name, handler, true),
    off: (name, handler) => keep(name, (entry) => handler !== undefined && entry.handler !== handler),
    emit(name, params, channel) {
      const list = handlers.get(name) || [];
      for (const entry of list) {
        if (!(handlers.get(name) || []).includes(entry)) continue;
        if (entry.once) keep(name, (other) => other !== entry);
        try {
          entry.handler(params, channel);
        } catch (error) {
          raise(error);
        }
      }
      return list.length > 0;
    },
  };
}
