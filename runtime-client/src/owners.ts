// Handlers belong to the module that added them, however late: each module of the app is given an `SS` of its own.

/** What modules have added. */
export interface Owners {
  /** `SS` as that module sees it. */
  scope(owner: object): unknown;
  /** Removes what it added. */
  release(owner: object): void;
}

/** Nothing yet. */
export function createOwners(SS: any): Owners {
  const added = new Map<object, [any, string, Function][]>();

  /** An emitter whose additions are noted. */
  function noting(emitter: any, owner: object): any {
    const note = (method: string) =>
      function (name: string, handler: Function) {
        const list = added.get(owner) || [];
        list.push([emitter, name, handler]);
        added.set(owner, list);
        return emitter[method](name, handler);
      };
    const own: { [name: string]: unknown } = { on: note("on"), once: note("once") };
    return new Proxy(emitter, { get: (target, name) => (own as any)[name] || target[name] });
  }

  return {
    scope(owner) {
      const own: { [name: string]: unknown } = {
        events: noting(SS.events, owner),
        socket: noting(SS.socket, owner),
      };
      return new Proxy(SS, { get: (target, name) => (own as any)[name] || target[name] });
    },
    release(owner) {
      for (const [emitter, name, handler] of added.get(owner) || []) emitter.off(name, handler);
      added.delete(owner);
    },
  };
}
