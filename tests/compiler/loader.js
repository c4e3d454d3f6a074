// The rules of the bundle format in few lines: runs bundles named on the command line and prints, as JSON, what their modules logged.
const fs = require("node:fs");
const [, , main, ...chunks] = process.argv;
const definitions = {};
const modules = {};
const log = [];
globalThis.log = (...values) => log.push(values.join(" "));

function evaluate(id) {
  if (!modules[id]) {
    if (!definitions[id]) throw new Error("no module " + id);
    const module = (modules[id] = { exports: {}, failed: null });
    try {
      definitions[id][0].call(module.exports, module, module.exports, requireFor(definitions[id][1]));
    } catch (error) {
      module.failed = { error };
    }
  }
  if (modules[id].failed) throw modules[id].failed.error;
  return modules[id].exports;
}

function namespace(exports) {
  if (exports && exports.__esModule) return exports;
  return new Proxy(exports instanceof Object ? exports : {}, {
    get: (_, name) => (name === "default" ? exports : exports[name]),
    has: (_, name) => name === "default" || name in exports,
    ownKeys: (own) => Reflect.ownKeys(own).filter((name) => name !== "default").concat("default"),
    getOwnPropertyDescriptor: (own, name) => ({ configurable: true, enumerable: true, ...Object.getOwnPropertyDescriptor(own, name) }),
  });
}

const starred = new WeakMap();

/** What cannot be read yet is given the benefit of the doubt. */
function same(a, b) {
  try {
    return a() === b();
  } catch {
    return true;
  }
}

function requireFor(dependencies) {
  const get = (n) => {
    const to = dependencies[n];
    if (to === null) throw new Error("not there");
    if (typeof to === "string") return { host: to };
    return evaluate(Array.isArray(to) ? to[1] : to);
  };
  return Object.assign((n) => get(n), {
    i: (n) => namespace(get(n)),
    e(exports, getters) {
      Object.defineProperty(exports, "__esModule", { value: true });
      for (const name in getters) Object.defineProperty(exports, name, { get: getters[name], enumerable: true });
    },
    s(exports, n) {
      const from = namespace(get(n));
      const known = starred.get(exports) ?? {};
      starred.set(exports, known);
      for (const name of Object.keys(from)) {
        if (name === "default") continue;
        if (name in exports) {
          // Two that differ are there for nobody.
          if (known[name] && !same(known[name], () => from[name])) delete exports[name];
        } else if (!known[name]) {
          known[name] = () => from[name];
          Object.defineProperty(exports, name, { get: known[name], enumerable: true, configurable: true });
        }
      }
    },
    d(n) {
      const to = dependencies[n];
      if (Array.isArray(to) && !definitions[to[1]]) {
        log.push("load " + to[0]);
        const file = chunks.find((chunk) => chunk.includes(to[0]));
        (0, eval)(fs.readFileSync(file, "utf8"));
      }
      return Promise.resolve().then(() => namespace(get(n)));
    },
    m: { url: "test:", env: "test" },
  });
}

globalThis.waited = [];
globalThis.__ss = {
  define(added) {
    // In development, a module of the app is a function of its `SS` that returns the function.
    const SS = new Proxy({}, { get: (_, name) => globalThis.SS[name] });
    for (const id in added) definitions[id] = added[id][2] ? [added[id][0](SS), added[id][1]] : added[id];
  },
  start(trees, order) {
    const place = (tree) => Object.fromEntries(Object.keys(tree || {}).map((path) => [path, definitions[tree[path]] ? evaluate(tree[path]) : undefined]));
    for (const id of order) evaluate(id);
    globalThis.SS = { shared: place(trees.shared), client: place(trees.client) };
    globalThis.trees = trees;
  },
};

(0, eval)(fs.readFileSync(main, "utf8"));
Promise.all(waited).then(() => console.log(JSON.stringify({ log, trees })));
