// What a configuration that is a program finds: `exports`, `require` of what is linked into it, `process.env`, `SS.env`.
(function (ss, given) {
  "use strict";
  const { create, keys, has, isArray, isPromise, stringify, Error, freeze } = ss.p;

  let id;
  globalThis.__ss = {
    __proto__: null,
    define: ss.bundle.define,
    start(trees) {
      id = trees.config.config;
    },
  };
  globalThis.process = { env: { ...given.variables } };
  globalThis.SS = freeze({ env: given.env });
  const silent = () => {};
  globalThis.console = { log: silent, info: silent, warn: silent, error: silent, debug: silent, trace: silent };

  if (given.moment === "build") {
    const refuse = (what) => () => {
      throw new Error(`a configuration has no ${what} while the app is built: the same folder has to give the same bytes`);
    };
    const now = refuse("clock");
    const Clock = Date;
    globalThis.Date = new Proxy(Clock, {
      construct: (target, args, to) => (args.length === 0 ? now() : Reflect.construct(target, args, to)),
      apply: now,
      get: (target, name) => (name === "now" ? now : target[name]),
    });
    Clock.prototype.constructor = globalThis.Date;
    Math.random = refuse("random numbers");
  }

  ss.values = () => {
    delete globalThis.__ss;
    const exports = ss.requireModule(id);
    const values = chosen(exports);
    if (typeof values === "function") throw new Error("the configuration is a function: it has to be an object");
    if (isPromise(values)) throw new Error("the configuration is a promise: it has to be an object");
    if (typeof values !== "object" || values === null || isArray(values)) {
      throw new Error(`the configuration has to be an object, and is ${isArray(values) ? "an array" : values === null ? "null" : `of type ${typeof values}`}`);
    }
    return stringify(values);
  };

  /** `exports.config`, `export default`, or all of `module.exports`. */
  function chosen(exports) {
    if (exports === null || typeof exports !== "object") return exports;
    if (has(exports, "config")) return exports.config;
    if (has(exports, "default")) return exports.default;
    if (exports.__esModule || keys(exports).length === 0) {
      throw new Error("it exports no configuration: write `exports.config = { … }` or `export default { … }`");
    }
    return exports;
  }
});
