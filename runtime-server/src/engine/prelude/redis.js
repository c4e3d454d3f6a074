// `R`: Redis, with node_redis's calling habits. The server holds the connection; a command is a question to it.
(function (ss) {
  "use strict";
  const { Error, TypeError, hidden, isArray, keys, stringify, when } = ss.p;
  const { redis } = ss.program.config;

  /** Commands are words: lists and the pairs of objects are spread, as node_redis did. */
  function spread(words, value) {
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) spread(words, value[i]);
    } else if (typeof value === "object" && value !== null && typeof value.toJSON !== "function") {
      const names = keys(value);
      for (let i = 0; i < names.length; i++) {
        words[words.length] = names[i];
        spread(words, value[names[i]]);
      }
    } else if (value === undefined || value === null || typeof value === "function" || typeof value === "symbol") {
      throw new TypeError(`R.${words[0]}: an argument is ${value === null ? "null" : typeof value}; Redis takes strings and numbers`);
    } else {
      words[words.length] = `${typeof value === "object" ? value.toJSON() : value}`;
    }
  }

  function command(name, args) {
    let callback;
    let count = args.length;
    if (count > 0 && (typeof args[count - 1] === "function" || args[count - 1] === undefined)) callback = args[--count];
    const words = [name];
    for (let i = 0; i < count; i++) spread(words, args[i]);
    const answer = ss.ask("redis", `,${stringify(words)}`);
    if (typeof callback === "function") {
      const what = `the callback of R.${name}`;
      when(
        answer,
        (value) => ss.callBack(what, () => callback(null, value)),
        (error) => ss.callBack(what, () => callback(error)),
      );
    }
    return answer;
  }

  const own = {
    __proto__: null,
    send_command: (name, args, callback) => command(`${name}`, [args ?? [], callback]),
    sendCommand: (name, args, callback) => command(`${name}`, [args ?? [], callback]),
    connected: true,
  };
  // The connection is the server's: it is kept up, and there is nothing to listen to.
  own.on = own.once = own.removeListener = () => globalThis.R;

  const made = { __proto__: null };
  const client = new Proxy(function R() {}, {
    __proto__: null,
    get(_, name) {
      // A promise is told by its `then`.
      if (typeof name !== "string" || name === "then") return undefined;
      if (name in own) return own[name];
      return (made[name] ??= (...args) => command(name, args));
    },
    set() {
      throw new TypeError("R cannot be changed");
    },
    has: (_, name) => typeof name === "string",
    apply() {
      throw new TypeError("R is not a function: R.get(key), for example");
    },
  });
  const missing = () => {
    throw new Error("R is a Redis client, and no Redis is configured: set redis.url or redis.host");
  };
  const absent = new Proxy(function R() {}, { __proto__: null, get: missing, set: missing, has: missing, apply: missing });
  hidden(globalThis, "R", redis && (redis.url || redis.host) ? client : absent);
});
