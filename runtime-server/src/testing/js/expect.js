// `expect`: what a test says of a value. Values may come from another realm: nothing is compared by constructor.
(function (ss) {
  "use strict";
  const ASYMMETRIC = Symbol("ssbuild.asymmetric");
  const tag = (value) => Object.prototype.toString.call(value);
  const show = (value) => ss.inspect(value);

  const asymmetric = (name, args, matches) => ({
    [ASYMMETRIC]: matches,
    toString: () => `${name}(${args.map(show).join(", ")})`,
    toJSON() {
      return this.toString();
    },
  });

  const KINDS = { String: "string", Number: "number", Boolean: "boolean", Function: "function", Symbol: "symbol", BigInt: "bigint" };

  /** Whether two values are the same all the way down. With `loose`, what is `undefined` may be missing. */
  function equal(a, b, loose, seen = []) {
    if (b && typeof b === "object" && b[ASYMMETRIC]) return b[ASYMMETRIC](a);
    if (a && typeof a === "object" && a[ASYMMETRIC]) return a[ASYMMETRIC](b);
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    const kind = tag(a);
    if (kind !== tag(b)) return false;
    if (kind === "[object Date]") return Object.is(+a, +b);
    if (kind === "[object RegExp]") return String(a) === String(b);
    if (kind === "[object Error]") return a.name === b.name && a.message === b.message && a.code === b.code;
    for (const [x, y] of seen) if (x === a || y === b) return x === a && y === b;
    const within = [...seen, [a, b]];
    const same = (x, y) => equal(x, y, loose, within);
    if (kind === "[object Map]" || kind === "[object Set]") {
      if (a.size !== b.size) return false;
      const others = [...b];
      return [...a].every((x) => {
        const at = others.findIndex((y) => same(x, y));
        if (at >= 0) others.splice(at, 1);
        return at >= 0;
      });
    }
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (ArrayBuffer.isView(a) || Array.isArray(a)) {
      if (a.length !== b.length) return false;
      for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
      return true;
    }
    const names = (of) => Object.keys(of).filter((name) => !loose || of[name] !== undefined);
    const mine = names(a);
    return mine.length === names(b).length && mine.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
  }

  /** Whether everything that `part` says is so in `whole`. */
  function includes(whole, part) {
    if (part && typeof part === "object" && part[ASYMMETRIC]) return part[ASYMMETRIC](whole);
    if (Array.isArray(part)) {
      return Array.isArray(whole) && whole.length === part.length && part.every((one, i) => includes(whole[i], one));
    }
    if (tag(part) !== "[object Object]" || whole === null || typeof whole !== "object") return equal(whole, part, true);
    return Object.keys(part).every((name) => name in whole && includes(whole[name], part[name]));
  }

  function thrownBy(fn) {
    if (typeof fn !== "function") throw new TypeError("expect(…).toThrow wants a function: write expect(() => …)");
    try {
      fn();
    } catch (error) {
      return { error };
    }
    return null;
  }

  function fits(thrown, wanted) {
    if (!thrown) return false;
    const { error } = thrown;
    if (wanted === undefined) return true;
    const message = error !== null && typeof error === "object" && "message" in error ? String(error.message) : String(error);
    if (typeof wanted === "string") return message.includes(wanted) || (error && error.code === wanted);
    if (tag(wanted) === "[object RegExp]") return wanted.test(message);
    if (typeof wanted === "function") return error instanceof wanted || (error && error.name === wanted.name);
    return includes(error, wanted);
  }

  function at(value, path) {
    const names = Array.isArray(path) ? path : String(path).replace(/\[(\d+)\]/g, ".$1").split(".");
    for (const name of names) {
      if (value === null || value === undefined || !(name in Object(value))) return { there: false };
      value = value[name];
    }
    return { there: true, value };
  }

  const calls = (mock) => {
    if (typeof mock !== "function" || !mock.calls) throw new TypeError("this wants a function that mock() made");
    return mock.calls;
  };

  // Each answers whether it is so, and what is said when it is not.
  const matchers = {
    toBe: (a, b) => [Object.is(a, b), `to be ${show(b)}`],
    toEqual: (a, b) => [equal(a, b, true), `to equal ${show(b)}`],
    toStrictEqual: (a, b) => [equal(a, b, false), `to equal ${show(b)} strictly`],
    toMatchObject: (a, b) => [includes(a, b), `to have all of ${show(b)}`],
    toBeTruthy: (a) => [!!a, "to be truthy"],
    toBeFalsy: (a) => [!a, "to be falsy"],
    toBeNull: (a) => [a === null, "to be null"],
    toBeUndefined: (a) => [a === undefined, "to be undefined"],
    toBeDefined: (a) => [a !== undefined, "to be defined"],
    toBeNaN: (a) => [Number.isNaN(a), "to be NaN"],
    toBeGreaterThan: (a, b) => [a > b, `to be greater than ${show(b)}`],
    toBeGreaterThanOrEqual: (a, b) => [a >= b, `to be at least ${show(b)}`],
    toBeLessThan: (a, b) => [a < b, `to be less than ${show(b)}`],
    toBeLessThanOrEqual: (a, b) => [a <= b, `to be at most ${show(b)}`],
    toBeCloseTo: (a, b, digits = 2) => [Math.abs(a - b) < 10 ** -digits / 2, `to be close to ${show(b)}`],
    toBeInstanceOf: (a, type) => [a instanceof type, `to be an instance of ${type.name}`],
    toBeTypeOf: (a, type) => [typeof a === type, `to be of type ${type}`],
    toMatch: (a, b) => [typeof a === "string" && (typeof b === "string" ? a.includes(b) : b.test(a)), `to match ${show(b)}`],
    toContain: (a, b) => [typeof a === "string" ? a.includes(b) : [...a].includes(b), `to contain ${show(b)}`],
    toContainEqual: (a, b) => [[...a].some((one) => equal(one, b, true)), `to contain ${show(b)}`],
    toHaveLength: (a, n) => [a !== null && a !== undefined && a.length === n, `to have length ${n}`],
    toHaveProperty(a, path, ...value) {
      const found = at(a, path);
      const so = found.there && (value.length === 0 || equal(found.value, value[0], true));
      return [so, `to have ${show(path)}${value.length ? ` as ${show(value[0])}` : ""}`];
    },
    toThrow(a, wanted) {
      const thrown = a && a.rejected ? { error: a.rejected.error } : thrownBy(a);
      const what = wanted === undefined ? "to throw" : `to throw ${show(wanted)}`;
      return [fits(thrown, wanted), thrown ? `${what}; it threw ${show(thrown.error)}` : what];
    },
    toHaveBeenCalled: (a) => [calls(a).length > 0, "to have been called"],
    toHaveBeenCalledTimes: (a, n) => [calls(a).length === n, `to have been called ${n} times, and it was ${a.calls.length} times`],
    toHaveBeenCalledWith: (a, ...args) => [calls(a).some((call) => equal(call, args, true)), `to have been called with ${args.map(show).join(", ")}; its calls: ${show(a.calls)}`],
  };

  function fail(message, actual, expected) {
    const error = new Error(message);
    error.name = "AssertionError";
    error.assertion = { actual: show(actual), expected: expected.length === 1 ? show(expected[0]) : undefined };
    throw error;
  }

  function check(name, actual, not, args) {
    ss.assertions++;
    const [so, what] = matchers[name](actual, ...args);
    const shown = actual && actual.rejected ? actual.rejected.error : actual;
    if (so === not) fail(`expected ${show(shown)} ${not ? "not " : ""}${what}`, shown, args);
  }

  function expectation(actual, not) {
    const made = {};
    for (const name of Object.keys(matchers)) made[name] = (...args) => check(name, actual, not, args);
    return made;
  }

  /** The same of a promise, when it has settled. */
  function later(promise, wanted, not) {
    const made = {};
    const settle = async () => {
      let value;
      try {
        value = await promise;
      } catch (error) {
        if (wanted === "rejects") return error;
        fail(`expected a promise that resolves, and it was rejected with ${show(error)}`, error, []);
      }
      if (wanted === "rejects") fail(`expected a promise that is rejected, and it resolved to ${show(value)}`, value, []);
      return value;
    };
    for (const name of Object.keys(matchers)) {
      made[name] = async (...args) => {
        const value = await settle();
        check(name, wanted === "rejects" && name === "toThrow" ? { rejected: { error: value } } : value, not, args);
      };
    }
    return made;
  }

  function expect(actual) {
    if (arguments.length === 0) throw new TypeError("expect wants a value");
    const made = expectation(actual, false);
    made.not = expectation(actual, true);
    for (const wanted of ["resolves", "rejects"]) {
      made[wanted] = later(actual, wanted, false);
      made[wanted].not = later(actual, wanted, true);
    }
    return made;
  }
  expect.anything = () => asymmetric("anything", [], (value) => value !== null && value !== undefined);
  expect.any = (type) =>
    asymmetric("any", [type], (value) => (KINDS[type.name] ? typeof value === KINDS[type.name] : value instanceof type || tag(value) === `[object ${type.name}]`));
  expect.objectContaining = (part) => asymmetric("objectContaining", [part], (value) => includes(value, part));
  expect.arrayContaining = (part) =>
    asymmetric("arrayContaining", [part], (value) => Array.isArray(value) && part.every((one) => value.some((other) => equal(other, one, true))));
  expect.stringContaining = (part) => asymmetric("stringContaining", [part], (value) => typeof value === "string" && value.includes(part));
  expect.stringMatching = (pattern) => asymmetric("stringMatching", [pattern], (value) => typeof value === "string" && new RegExp(pattern).test(value));
  expect.fail = (message = "this should not have been reached") => fail(message, undefined, []);

  ss.assertions = 0;
  ss.expect = expect;
});
