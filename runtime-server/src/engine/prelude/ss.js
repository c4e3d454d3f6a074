// The global `SS`.
(function (ss) {
  "use strict";
  const { freeze, keys } = ss.p;
  const { format, log } = ss;
  const level = (number) => (...args) => log(number, format(args));

  function deepFreeze(value) {
    if (typeof value === "object" && value !== null) {
      const inside = keys(value);
      for (let i = 0; i < inside.length; i++) deepFreeze(value[inside[i]]);
      freeze(value);
    }
    return value;
  }
  const { program, publish, users, roots } = ss;
  ss.env = program.env;
  const ssLog = level(2);
  const SS = {
    server: roots.server,
    shared: roots.shared,
    publish,
    users,
    events: ss.events,
    config: deepFreeze(program.config),
    env: program.env,
    version: program.version,
    log: freeze(Object.assign((...args) => ssLog(...args), { error: level(0), warn: level(1), info: ssLog, debug: level(3), trace: level(4) })),
  };
  Object.defineProperty(globalThis, "SS", { value: freeze(SS), enumerable: true });
});
