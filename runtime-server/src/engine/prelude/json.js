// What can leave as JSON. A Map, a Set, a promise, a BigInt and a cycle cannot, and the error says where they are.
(function (ss) {
  "use strict";
  const { Map, Set, Promise, Symbol, stringify, ownKeys, isArray, hidden, getOwnPropertyDescriptor } = ss.p;
  const { SSError, describe } = ss;

  // Native `stringify` asks each object for `toJSON`, so these three are noticed at no cost to other values.
  // Elsewhere the answer is the object itself, which is what the language does without it.
  let encoding = false;
  const refused = { __proto__: null };
  for (const proto of [Map.prototype, Set.prototype, Promise.prototype]) {
    hidden(proto, "toJSON", function toJSON() {
      if (encoding) throw refused;
      return this;
    });
  }

  /** The first part of a value that JSON has no form for, in words; `above` are the objects it is in. */
  function culprit(value, path, above, depth) {
    if (typeof value === "bigint") return `${path} is a BigInt`;
    if (typeof value !== "object" || value === null) return null;
    if (value instanceof Map) return `${path} is a Map`;
    if (value instanceof Set) return `${path} is a Set`;
    if (value instanceof Promise) return `${path} is a promise (await it)`;
    for (let i = 0; i < depth; i++) if (above[i] === value) return `${path} is an object that contains itself`;
    if (typeof value.toJSON === "function") return null;
    above[depth] = value;
    const names = ownKeys(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (typeof name !== "string") continue;
      const property = getOwnPropertyDescriptor(value, name);
      if (!property || !property.enumerable) continue;
      const found = culprit(value[name], isArray(value) ? `${path}[${name}]` : `${path}.${name}`, above, depth + 1);
      if (found) return found;
    }
    return null;
  }

  const tagOf = Symbol.toStringTag;

  /** Whether a value is what a generator function gives. */
  ss.isGenerator = (value) => value[tagOf] === "Generator" || value[tagOf] === "AsyncGenerator";

  /** JSON text of a value; `undefined` for `undefined`. `what` names the value in the error. */
  ss.encode = function encode(value, what) {
    if (value === undefined) return undefined;
    if (typeof value === "function" || typeof value === "symbol") {
      throw new SSError("not_serializable", `${what} is a ${typeof value}, which JSON has no form for`);
    }
    let failure;
    encoding = true;
    try {
      return stringify(value);
    } catch (error) {
      failure = error;
    } finally {
      encoding = false;
    }
    const { code, message } = failure === refused ? { code: "action_error", message: "" } : describe(failure);
    if (code !== "action_error") throw failure;
    const found = culprit(value, what, [], 0);
    throw new SSError("not_serializable", found ? `${found}, which JSON has no form for` : `${what} cannot be written as JSON: ${message}`);
  };
});
