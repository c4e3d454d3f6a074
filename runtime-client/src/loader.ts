// The module loader: a plain script, so that bundles can be joined to it without a linker. It defines the global
// `__ss`; the format it reads is the book's "The bundle format".
(function () {
  type Factory = (this: unknown, module: Module, exports: unknown, require: Require) => unknown;
  type Dependency = number | string | [string, number] | null;
  type Names = { [name: string]: unknown };
  type Trees = { [tree: string]: { [path: string]: number } };
  type Data = { base?: string | null; env?: string; chunks?: { [id: string]: [string, string] } };

  interface Module {
    exports: any;
    /** Whether its evaluation has ended, well or badly. */
    done: boolean;
    /** What it threw, in a box so that `undefined` counts too. */
    failed: { error: unknown } | null;
    /** What waits for its end: `export *` out of a cycle. */
    after: (() => void)[];
    /** How ES modules see it when it is none. */
    namespace: Names | null;
    /** Of one that waits, or imports one that does: what `waiting.ts` knows of it. */
    wait?: object;
  }

  /** Function, dependencies, address; of what waits, ids of its imports; 1 when it waits itself. */
  type Definition = [Factory, Dependency[], string, number[]?, number?];

  interface Require {
    (n: number): unknown;
    i(n: number): unknown;
    e(exports: object, getters: { [name: string]: () => unknown }): void;
    s(exports: object, n: number): void;
    d(n: number): Promise<unknown>;
    b: string;
    m: { url: string; env: string | undefined };
  }

  const definitions: { [id: string]: Definition } = Object.create(null);
  const modules: { [id: string]: Module } = Object.create(null);
  const chunks: { [id: string]: Promise<void> } = Object.create(null);
  const trees: Trees = Object.create(null);
  let data: Data | undefined;
  // A worker has none.
  const host = (globalThis as { document?: Document }).document;
  let watcher = function () {};

  const has = Object.prototype.hasOwnProperty;

  /** What the page says of its build. */
  function page(): Data {
    if (!data) {
      const element = host && host.getElementById("ss-data");
      if (!element) return {};
      data = JSON.parse(element.textContent || "{}") as Data;
    }
    return data;
  }

  /** Thrown later, on its own, so that `window.onerror` and the console have it and nothing else stops. */
  function report(error: unknown) {
    setTimeout(() => {
      throw error;
    });
  }

  function getter(object: object, name: string, get: () => unknown) {
    Object.defineProperty(object, name, { enumerable: true, configurable: true, get });
  }

  /** What came to a module by `export *`, by name. */
  const starred = new WeakMap<object, { [name: string]: () => unknown }>();

  /** One name of an `export *`: the module's own win, and two that differ are there for nobody. */
  function star(exports: object, name: string, get: () => unknown) {
    let known = starred.get(exports);
    if (!known) starred.set(exports, (known = Object.create(null) as { [name: string]: () => unknown }));
    if (!has.call(exports, name)) {
      if (!known[name]) getter(exports, name, (known[name] = get));
    } else if (known[name] && !same(known[name], get)) {
      delete (exports as Names)[name];
    }
  }

  /** Whether two getters give the same; what cannot be read yet is given the benefit of the doubt. */
  function same(a: () => unknown, b: () => unknown) {
    try {
      return Object.is(a(), b());
    } catch {
      return true;
    }
  }

  /** The module of that id, not evaluated by this; nothing when it is not here (yet). */
  function peek(id: number): Module | undefined {
    if (!modules[id] && definitions[id]) {
      modules[id] = { exports: {}, done: false, failed: null, after: [], namespace: null };
    }
    return modules[id];
  }

  const running: { [id: string]: boolean } = Object.create(null);

  function evaluate(id: number): Module {
    const module = peek(id);
    if (!module) throw new Error("Module " + id + " is not in this build");
    if (!module.done && !running[id] && !definitions[id][3]) {
      running[id] = true;
      try {
        run(id, module);
      } catch (error) {
        module.failed = { error };
      }
      end(module);
    }
    if (module.failed) throw module.failed.error;
    return module;
  }

  function run(id: number, module: Module): unknown {
    const [factory, dependencies, url] = definitions[id];
    return factory.call(module.exports, module, module.exports, requireFor(dependencies, url));
  }

  function end(module: Module) {
    module.done = true;
    if (module.namespace) fill(module);
    for (const then of module.after) then();
  }

  /** Lets a namespace show what its CommonJS module has exported by now. */
  function fill(module: Module) {
    const { exports, namespace } = module;
    // An object or a function.
    if (Object(exports) === exports) {
      Object.setPrototypeOf(namespace, exports);
      for (const name of Object.keys(exports)) {
        if (name !== "default") getter(namespace as Names, name, () => module.exports[name]);
      }
    }
  }

  function namespaceOf(module: Module): Names {
    const exports = module.exports;
    if (exports && exports.__esModule) return exports;
    if (!module.namespace) {
      module.namespace = Object.create(null) as Names;
      // A module in a cycle may still turn out to be an ES module.
      getter(module.namespace, "default", () =>
        module.exports && module.exports.__esModule ? module.exports.default : module.exports,
      );
      fill(module);
    }
    return module.namespace;
  }

  function requireFor(dependencies: Dependency[], url: string): Require {
    function find(n: number): Module {
      const dependency = dependencies[n];
      if (typeof dependency === "number") return evaluate(dependency);
      if (Array.isArray(dependency)) return evaluate(dependency[1]);
      const error = new Error(
        dependency ? "The module " + dependency + " is not to be had in a browser" : "Cannot find a module",
      );
      (error as { code?: string }).code = "MODULE_NOT_FOUND";
      throw error;
    }

    function require(n: number) {
      return find(n).exports;
    }

    require.i = function (n: number) {
      return namespaceOf(find(n));
    };

    require.e = function (exports: object, getters: { [name: string]: () => unknown }) {
      Object.defineProperty(exports, "__esModule", { value: true });
      for (const name of Object.keys(getters)) getter(exports, name, getters[name]);
    };

    require.s = function (exports: object, n: number) {
      const source = find(n);
      function copy() {
        const names = namespaceOf(source);
        for (const name of Object.keys(names)) {
          if (name !== "default") star(exports, name, () => names[name]);
        }
      }
      copy();
      if (!source.done) source.after.push(copy);
    };

    require.d = function (n: number) {
      const dependency = dependencies[n];
      const ready = Array.isArray(dependency) && !definitions[dependency[1]] ? load(dependency[0]) : Promise.resolve();
      const id = Array.isArray(dependency) ? dependency[1] : dependency;
      const { settle } = parts;
      const ended = settle && typeof id === "number" ? ready.then(() => settle(id)) : ready;
      return ended.then(() => require.i(n));
    };

    require.b = (parts.base as string) || page().base || "";
    require.m = { url, env: page().env };
    return require;
  }

  /** Loads a chunk once; one that failed to come can be asked for again. */
  function load(id: string): Promise<void> {
    if (!chunks[id]) {
      chunks[id] = new Promise((resolve, reject) => {
        const { base, chunks: table } = page();
        if (!table || !has.call(table, id)) throw new Error("Chunk " + id + " is not in this build");
        const script = document.createElement("script");
        script.src = (base || "") + table[id][0];
        script.integrity = table[id][1];
        if (base) script.crossOrigin = "anonymous";
        script.onload = () => resolve();
        script.onerror = () => {
          delete chunks[id];
          script.remove();
          reject(new Error("Chunk " + id + " could not be loaded"));
        };
        document.head.appendChild(script);
      });
    }
    return chunks[id];
  }

  function define(map: { [id: string]: [Factory, Dependency[], 1?, number[]?, number?] }) {
    const script = host && (host.currentScript as HTMLScriptElement | null);
    const url = (script && script.src) || location.href;
    for (const id of Object.keys(map)) {
      const [factory, dependencies, , imports, waits] = map[id];
      definitions[id] = [factory, dependencies, url, imports, waits];
    }
    watcher();
  }

  function start(added: Trees, order: number[]) {
    for (const name of Object.keys(added)) trees[name] = Object.assign(Object.create(null), trees[name], added[name]);
    watcher();
    // One failure makes every module that needs it fail with the same error: said once.
    const said: unknown[] = [];
    function say(error: unknown) {
      if (!said.includes(error)) report(error);
      said.push(error);
    }
    for (const id of order) {
      try {
        if (!parts.begin || !parts.begin(id, say)) evaluate(id);
      } catch (error) {
        say(error);
      }
    }
  }

  /** What other scripts of the runtime use, and what `waiting.ts` adds. */
  const parts: {
    /** Evaluates a module at the start, when it is one that waits. */
    begin?(id: number, say: (error: unknown) => void): boolean;
    /** Evaluates any module, to its end. */
    settle?(id: number): Promise<void>;
    [name: string]: unknown;
  } = { definitions, modules, running, run, end };

  Object.defineProperty(globalThis, "__ss", {
    value: {
      define,
      start,
      trees,
      page,
      report,
      peek,
      evaluate,
      /** Calls `fn` when all that was started is evaluated. */
      whenStarted: (fn: () => void) => fn(),
      parts,
      /** Calls `fn` now, and again whenever modules or trees were added. */
      watch(fn: () => void) {
        watcher = fn;
        fn();
      },
    },
  });
})();
