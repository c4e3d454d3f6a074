// Everything that later files use of the language, taken before the app's code can change it.
(function (ss) {
  "use strict";
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const { create, freeze, keys, isFrozen, setPrototypeOf } = Object;
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { floor, min, trunc } = Math;
  const { hasOwnProperty } = Object.prototype;
  const { Date, Error, Function, InternalError, Map, Number, Object: Obj, Promise: Prom, RangeError, Set, String: Str, Symbol, TypeError } =
    globalThis;

  /** A method as a function of its receiver. */
  const { bind, call } = Function.prototype;
  const method = (fn) => apply(bind, call, [fn]);
  const getter = (proto, name) => getOwnPropertyDescriptor(proto, name).get;

  const mapGet = method(Map.prototype.get);
  const mapHas = method(Map.prototype.has);
  const mapDelete = method(Map.prototype.delete);

  ss.p = freeze({
    __proto__: null,
    apply, construct, create, defineProperty, freeze, isFrozen, getOwnPropertyDescriptor, getPrototypeOf, keys, ownKeys, setPrototypeOf,
    parse, stringify, isArray, floor, min, trunc, method, getter,
    has: method(hasOwnProperty),
    Date, Error, Function, InternalError, Map, Number, Object: Obj, Promise: Prom, RangeError, Set, String: Str, Symbol, TypeError,
    mapGet, mapHas, mapDelete, mapSet: method(Map.prototype.set),
    slice: method(Array.prototype.slice),
    join: method(Array.prototype.join),
    textSlice: method(Str.prototype.slice),
    textSplit: method(Str.prototype.split),
    wellFormed: method(Str.prototype.toWellFormed),
    replace: method(Str.prototype.replace),
    charCodeAt: method(Str.prototype.charCodeAt),
    indexOf: method(Str.prototype.indexOf),
    lastIndexOf: method(Str.prototype.lastIndexOf),
    /** `promise.then(…)` with the language's own `then`. */
    when: method(Promise.prototype.then),
    isPromise: (value) => value instanceof Prom,
    /** A promise with its two ends. */
    deferred() {
      const ends = { __proto__: null };
      ends.promise = new Prom((resolve, reject) => {
        ends.resolve = resolve;
        ends.reject = reject;
      });
      return ends;
    },
    /** A property that neither shows in loops nor can be changed. */
    hidden(object, name, value) {
      return defineProperty(object, name, { __proto__: null, value, enumerable: false, configurable: true, writable: true });
    },
    constant(object, name, value) {
      return defineProperty(object, name, { __proto__: null, value, enumerable: true, configurable: false, writable: false });
    },
    accessor(object, name, get, set) {
      return defineProperty(object, name, { __proto__: null, get, set, enumerable: false, configurable: true });
    },
  });

  // A call site would hand out the functions on the stack, this prelude's among them. Packages for Node.js want them whole.
  if (ss.host.builtin) return;
  Error.prepareStackTrace = (_, sites) => sites;
  const sites = new Error().stack;
  Error.prepareStackTrace = undefined;
  if (isArray(sites) && sites.length > 0) {
    const proto = getPrototypeOf(sites[0]);
    delete proto.getFunction;
    delete proto.getThis;
  }
});
