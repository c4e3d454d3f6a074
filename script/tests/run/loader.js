// The rules of the bundle format in few lines, for tests.
const { inspect } = require("node:util");
const { pathToFileURL } = require("node:url");

let lines = [];
globalThis.log = (...values) => {
  lines.push(values.map((value) => (typeof value === "string" ? value : inspect(value, { depth: 5, breakLength: Infinity }))).join(" "));
};

let waited = [];
globalThis.wait = (promise) => waited.push(promise);

function load(modules, cache, id, host) {
  if (typeof id === "string") {
    if (host[id]) return host[id];
    throw new Error("no module " + id);
  }
  if (cache[id]) return cache[id].exports;
  const module = (cache[id] = { exports: {} });
  const [run, dependencies, esm] = modules[id];
  const get = (n) => load(modules, cache, dependencies[n], host);
  const require = (n) => get(n);
  require.i = (n) => interop(get(n));
  require.e = (exports, getters) => {
    Object.defineProperty(exports, "__esModule", { value: true });
    for (const name of Object.keys(getters)) Object.defineProperty(exports, name, { get: getters[name], enumerable: true });
  };
  require.s = (exports, n) => {
    const from = interop(get(n));
    for (const name of Object.keys(from)) {
      if (name !== "default" && !Object.prototype.hasOwnProperty.call(exports, name)) {
        Object.defineProperty(exports, name, { get: () => from[name], enumerable: true });
      }
    }
  };
  require.d = (n) => Promise.resolve().then(() => interop(load(modules, cache, dependencies[n][1], host)));
  require.m = { url: "app:///module.js", env: {} };
  run.call(esm ? undefined : module.exports, module, module.exports, require);
  return module.exports;
}

const namespaces = new WeakMap();

function interop(exports) {
  if (exports && exports.__esModule) return exports;
  const known = exports !== null && (typeof exports === "object" || typeof exports === "function");
  if (known && namespaces.has(exports)) return namespaces.get(exports);
  const namespace = { default: exports };
  if (known) {
    for (const name of Object.keys(exports)) {
      if (name !== "default") Object.defineProperty(namespace, name, { get: () => exports[name], enumerable: true });
    }
    namespaces.set(exports, namespace);
  }
  return namespace;
}

const jsxRuntime = {
  __esModule: true,
  Fragment: "fragment",
  jsx: (type, props, key) => ({ type: typeof type === "function" ? type(props) : type, props, key }),
  jsxs: (type, props, key) => ({ type: typeof type === "function" ? type(props) : type, props, key }),
};

async function record(name, start) {
  lines = [];
  waited = [];
  try {
    await start();
  } catch (error) {
    lines.push("throws " + (error && error.name));
  }
  for (const promise of waited) await promise;
  console.log(JSON.stringify([name, lines.join("\n")]));
}

const run = (name, modules) => record(name, () => load(modules, {}, 0, { "react/jsx-runtime": jsxRuntime }));
const runFile = (name, file) => record(name, () => import(pathToFileURL(file)));
