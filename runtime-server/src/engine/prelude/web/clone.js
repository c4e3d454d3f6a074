// structuredClone (HTML, section 2.7), for what server code has.
(function (ss) {
  "use strict";
  const { Map, Set, Date, Error, String, hidden, apply, keys, isArray, isPromise, mapGet, mapHas, mapSet, defineProperty, getPrototypeOf, getter } = ss.p;
  const { DOMException, RegExp, ArrayBuffer, DataView, Number, Boolean, Object, WeakMap, WeakSet, WeakRef } = globalThis;
  const { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } = globalThis;
  const { forEach: eachOfMap } = Map.prototype;
  const { forEach: eachOfSet, add } = Set.prototype;
  const { slice: sliceBuffer } = ArrayBuffer.prototype;
  const { getTime } = Date.prototype;
  const tagOf = getter(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
  const errors = { __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const views = { __proto__: null };
  for (const name of ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32", "Float16", "Float32", "Float64", "BigInt64", "BigUint64"]) {
    if (globalThis[`${name}Array`]) views[`${name}Array`] = globalThis[`${name}Array`];
  }

  const refuse = (what) => {
    throw new DOMException(`${what} could not be cloned`, "DataCloneError");
  };

  function clone(value, seen) {
    const type = typeof value;
    if (type === "symbol" || type === "function") refuse(`a ${type}`);
    if (type !== "object" || value === null) return value;
    if (mapHas(seen, value)) return mapGet(seen, value);
    const keep = (copy) => {
      mapSet(seen, value, copy);
      return copy;
    };
    if (isArray(value)) {
      const copy = keep([]);
      copy.length = value.length;
      return members(value, copy, seen);
    }
    if (value instanceof Date) return keep(new Date(apply(getTime, value, [])));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof Number || value instanceof String || value instanceof Boolean) return keep(Object(value.valueOf()));
    if (value instanceof Map) {
      const copy = keep(new Map());
      apply(eachOfMap, value, [(item, key) => mapSet(copy, clone(key, seen), clone(item, seen))]);
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      apply(eachOfSet, value, [(item) => apply(add, copy, [clone(item, seen)])]);
      return copy;
    }
    if (value instanceof ArrayBuffer) return keep(apply(sliceBuffer, value, [0]));
    if (ArrayBuffer.isView(value)) {
      const buffer = clone(value.buffer, seen);
      if (value instanceof DataView) return keep(new DataView(buffer, value.byteOffset, value.byteLength));
      return keep(new views[apply(tagOf, value, [])](buffer, value.byteOffset, value.length));
    }
    if (value instanceof Error) {
      const copy = keep(new (errors[value.name] ?? Error)(value.message));
      hidden(copy, "stack", value.stack);
      if ("cause" in value) hidden(copy, "cause", clone(value.cause, seen));
      return copy;
    }
    if (isPromise(value) || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) refuse("an object of this kind");
    return members(value, keep({}), seen);
  }

  function members(value, copy, seen) {
    const names = keys(value);
    for (let i = 0; i < names.length; i++) {
      const item = clone(value[names[i]], seen);
      defineProperty(copy, names[i], { __proto__: null, value: item, enumerable: true, configurable: true, writable: true });
    }
    return copy;
  }

  hidden(globalThis, "structuredClone", function structuredClone(value, options) {
    if (arguments.length === 0) throw new TypeError("structuredClone wants a value");
    if (options?.transfer?.length) refuse("a transfer list");
    return clone(value, new Map());
  });
});
