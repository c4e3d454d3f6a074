// `__ss` of the bundle format (book/src/internals/bundle.md), server side. It collects while the bundle is read;
// `ss.load()` evaluates afterwards, so that the app's code never sees it.
(function (ss) {
  "use strict";
  const { apply, create, defineProperty, keys, has, isArray, when, Promise, Error, accessor, hidden, freeze, textSlice, lastIndexOf } = ss.p;

  const definitions = create(null);
  const records = create(null);
  const builtins = create(null);
  let started = null;

  ss.bundle = freeze({
    __proto__: null,
    define(modules) {
      const ids = keys(modules);
      for (let i = 0; i < ids.length; i++) definitions[ids[i]] = modules[ids[i]];
    },
    start(trees, order) {
      if (started) throw new Error("the bundle starts twice");
      started = { __proto__: null, trees, order };
    },
  });

  function record(id) {
    const known = records[id];
    if (known) return known;
    const definition = definitions[id];
    if (!definition) throw new Error(`module ${id} is not in the bundle`);
    const module = { exports: {}, id };
    const made = { __proto__: null, module, esm: null, namespace: null };
    records[id] = made;
    const imports = definition[1];
    const evaluate = definition[0];
    const first = module.exports;
    try {
      apply(evaluate, first, [module, first, requireFor(imports, made)]);
    } catch (error) {
      delete records[id];
      throw error;
    }
    return made;
  }

  /** What only Node.js can give, in the place of a module. */
  function builtin(name) {
    if (!ss.host.builtin) throw new Error(`'${name}' is a Node.js built-in, which the embedded engine does not have`);
    builtins[name] ??= { __proto__: null, module: { exports: ss.host.builtin(name) }, esm: null, namespace: null };
    return builtins[name];
  }

  /** The module that an import names. */
  function target(imports, n) {
    const to = imports[n];
    if (typeof to === "number") return record(to);
    if (isArray(to)) return record(to[1]);
    if (typeof to === "string") return builtin(to);
    const missing = new Error("Cannot find module: it was not there when the app was built");
    missing.code = "MODULE_NOT_FOUND";
    throw missing;
  }

  /** A module as an ES module sees it. */
  function namespace(made) {
    const exports = made.module.exports;
    if (made.esm === exports || (exports !== null && exports !== undefined && exports.__esModule)) return exports;
    if (made.namespace && made.namespace.of === exports) return made.namespace.view;
    // Names that appear later (a cycle) are found through the prototype.
    const object = (typeof exports === "object" && exports !== null) || typeof exports === "function";
    const view = create(object ? exports : null);
    if (object) {
      const names = keys(exports);
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        defineProperty(view, name, { __proto__: null, get: () => exports[name], enumerable: true, configurable: true });
      }
    }
    defineProperty(view, "default", { __proto__: null, get: () => made.module.exports, enumerable: true, configurable: true });
    made.namespace = { __proto__: null, of: exports, view };
    return view;
  }

  /** Whether two getters give the same; what cannot be read yet is given the benefit of the doubt. */
  function same(a, b) {
    try {
      const [x, y] = [a(), b()];
      return x === y || (x !== x && y !== y);
    } catch {
      return true;
    }
  }

  /** What a module may know of itself; `file` is its path below the folder of the server code, for those that ask. */
  function metaOf(id) {
    const file = ss.files[id];
    if (file === undefined) return freeze({ url: `ss:module/${id}`, env: ss.env });
    const filename = `${ss.program.folder ?? ""}/${file}`;
    const dirname = textSlice(filename, 0, lastIndexOf(filename, "/"));
    const url = ss.host.fileUrl ? ss.host.fileUrl(filename) : `ss:${filename}`;
    return freeze({ url, env: ss.env, filename, dirname, resolve: (name) => new globalThis.URL(name, url).href });
  }

  function requireFor(imports, self) {
    const require = (n) => target(imports, n).module.exports;
    require.i = (n) => namespace(target(imports, n));
    require.e = (exports, getters) => {
      self.esm = exports;
      hidden(exports, "__esModule", true);
      const names = keys(getters);
      for (let i = 0; i < names.length; i++) {
        defineProperty(exports, names[i], { __proto__: null, get: getters[names[i]], enumerable: true, configurable: true });
      }
    };
    const starred = create(null);
    require.s = (exports, n) => {
      const from = require.i(n);
      const names = keys(from);
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        if (name === "default") continue;
        const get = () => from[name];
        if (!has(exports, name)) {
          if (starred[name]) continue;
          starred[name] = get;
          defineProperty(exports, name, { __proto__: null, get, enumerable: true, configurable: true });
        } else if (starred[name] && !same(starred[name], get)) {
          // Two modules mean different things by it: it is there for nobody.
          delete exports[name];
        }
      }
    };
    require.d = (n) => when(Promise.resolve(), () => require.i(n));
    accessor(require, "m", () => metaOf(self.module.id), undefined);
    hidden(require, "cache", create(null));
    return require;
  }

  /** The exports of a module, evaluating it when that has not happened. */
  ss.requireModule = (id) => record(id).module.exports;

  /** What can be required by name: `custom_auth`. */
  ss.named = create(null);

  /** Module to file, for modules that ask where they lie. */
  ss.files = create(null);

  /** Evaluates the app in the bundle's order. */
  ss.load = function load() {
    if (!started) throw new Error("the bundle does not start");
    const { trees, order } = started;
    const named = trees.named ?? {};
    const names = keys(named);
    for (let i = 0; i < names.length; i++) ss.named[names[i]] = named[names[i]];
    const files = trees.files ?? {};
    const paths = keys(files);
    for (let i = 0; i < paths.length; i++) ss.files[files[paths[i]]] = paths[i];
    ss.tree.shared(trees.shared ?? {});
    // Start-up code is first, before files that may want what it has opened.
    const config = trees.config ?? {};
    if (config.db !== undefined) ss.startUp(ss.requireModule(config.db));
    for (let i = 0; i < order.length; i++) record(order[i]);
    ss.tree.server(trees.server ?? {});
    if (config.events !== undefined) ss.exportedEvents(ss.requireModule(config.events));
    if (config.http !== undefined) ss.middleware = ss.middlewareOf(ss.requireModule(config.http));
  };
});
