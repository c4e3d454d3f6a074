// `SS.publish`: events for connections, users and channels.
(function (ss) {
  "use strict";
  const { TypeError, RangeError, Number, isArray, slice, stringify, freeze, wellFormed } = ss.p;
  const { tell, encode, program } = ss;

  /** The event's name, with what it is the latest of: `{conflate: true}`, or a key. */
  function nameOf(event, options) {
    const key = typeof options === "object" && options !== null ? options.conflate : undefined;
    if (key === undefined || key === false) return stringify(wellFormed(event));
    if (key !== true && typeof key !== "string" && typeof key !== "number") {
      throw new TypeError("conflate must be true, a string or a number");
    }
    return stringify([wellFormed(event), key === true ? "" : wellFormed(`${key}`)]);
  }

  function send(to, event, params, options) {
    const text = encode(params, "params");
    if (text !== undefined && text.length > program.answer_bytes) {
      throw new RangeError(`params are longer than limits.answer_bytes (${program.answer_bytes})`);
    }
    tell("publish", `,${to},${nameOf(event, options)}${text === undefined ? "" : `,${text}`}`);
  }

  function checkEvent(event, place) {
    if (typeof event !== "string" || event === "") throw new TypeError(`Event Name (${place} argument) must be a string`);
  }

  /** JSON text of one name or many; numbers are taken as user ids. */
  function names(value, what) {
    const list = isArray(value) ? slice(value) : [value];
    for (let i = 0; i < list.length; i++) {
      if (typeof list[i] === "number") list[i] = `${list[i]}`;
      if (typeof list[i] !== "string" || list[i] === "") throw new TypeError(`${what} (first argument) must be a string or an array of strings`);
      list[i] = wellFormed(list[i]);
    }
    return stringify(list);
  }

  const to = (kind, what) => (target, event, params, options) => {
    checkEvent(event, "second");
    send(`["${kind}",${names(target, what)}]`, event, params, options);
  };
  const channels = to("channels", "Channel");
  const users = to("users", "User ID");

  ss.publish = freeze({
    broadcast(event, params, options) {
      checkEvent(event, "first");
      send(`["broadcast"]`, event, params, options);
    },
    channel: channels,
    channels,
    user: users,
    users,
    socket(connection, event, params, options) {
      if (!Number.isSafeInteger(connection) || connection < 0) throw new TypeError("Connection (first argument) must be a connection's number");
      checkEvent(event, "second");
      send(`["socket",${connection}]`, event, params, options);
    },
  });
});
