// `this.session`: one call's view of the caller's session. Changes leave as messages.
(function (ss) {
  "use strict";
  const { Map, Promise, String, TypeError, create, keys, has, isArray, slice, stringify, freeze, when, wellFormed, mapGet, mapSet, mapDelete } = ss.p;
  const { ask, tell, both, encode } = ss;

  const watched = new Map();

  /** JSON text of a list of channel names. */
  function channelNames(names) {
    const list = isArray(names) ? slice(names) : [names];
    for (let i = 0; i < list.length; i++) {
      if (typeof list[i] !== "string" || list[i] === "") throw new TypeError("a channel name must be a string that is not empty");
      list[i] = wellFormed(list[i]);
    }
    return list;
  }

  const textOf = (text) => (text === null || text === undefined ? "null" : stringify(text));

  class User {
    #session;
    constructor(session) {
      this.#session = session;
      freeze(this);
    }
    get id() {
      return this.#session.user_id;
    }
    loggedIn() {
      return this.#session.user_id !== null;
    }
    /** Ends the login in every tab; `callback` gets an empty object, as it always did. */
    logout(callback) {
      const done = when(Session.login(this.#session, null), () => ({}));
      return both(done, callback, "session.user.logout");
    }
  }

  class Channel {
    #session;
    #names;
    constructor(session, names) {
      this.#session = session;
      this.#names = names;
      freeze(this);
    }
    subscribe(names, callback) {
      const list = channelNames(names);
      for (let i = 0; i < list.length; i++) if (!this.#has(list[i])) this.#names[this.#names.length] = list[i];
      return both(when(ask("subscribe", `,${Session.key(this.#session)},${stringify(list)}`), () => this.#tell("channel:subscribe", list)), callback, "channel.subscribe");
    }
    unsubscribe(names, callback) {
      const list = channelNames(names);
      const kept = [];
      for (let i = 0; i < this.#names.length; i++) {
        let gone = false;
        for (let j = 0; j < list.length; j++) gone ||= list[j] === this.#names[i];
        if (!gone) kept[kept.length] = this.#names[i];
      }
      this.#names = kept;
      return both(when(ask("unsubscribe", `,${Session.key(this.#session)},${stringify(list)}`), () => this.#tell("channel:unsubscribe", list)), callback, "channel.unsubscribe");
    }
    list(callback) {
      const names = slice(this.#names);
      if (typeof callback === "function") callback(names);
      return names;
    }
    #tell(event, names) {
      for (let i = 0; i < names.length; i++) ss.emit(event, [this.#session, names[i]]);
      return true;
    }
    #has(name) {
      for (let i = 0; i < this.#names.length; i++) if (this.#names[i] === name) return true;
      return false;
    }
  }

  class Session {
    #key;
    #id;
    #created;
    #userId;
    #attributes;
    #stored = null;
    #names;
    #connection;
    #user = null;
    #channel = null;

    constructor(view, connection) {
      this.#key = view[0];
      this.#id = view[1];
      this.#created = view[2];
      this.#userId = view[3];
      this.#attributes = view[4];
      this.#names = view[5];
      this.#connection = connection;
      freeze(this);
    }

    static key(session) {
      return session.#key;
    }

    /** Changes who is logged in. */
    static login(session, userId) {
      session.#userId = userId;
      return when(ask("user", `,${session.#key},${textOf(userId)},${textOf(session.#connection)}`), (reply) => {
        if (typeof reply === "object" && reply !== null && has(reply, "id")) session.#id = reply.id;
      });
    }

    /** Sends what differs from what is stored; `true` when there was something. */
    static #changes(session) {
      if (session.#stored === null) return null;
      const now = session.#attributes ?? {};
      const stored = session.#stored;
      const names = keys(now);
      const next = create(null);
      let set = "";
      let unset = "";
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        const text = encode(now[name], `session.attributes.${name}`);
        if (text === undefined) continue;
        next[name] = text;
        if (text !== stored[name]) set += `${set && ","}${stringify(name)}:${text}`;
      }
      const before = keys(stored);
      for (let i = 0; i < before.length; i++) {
        if (next[before[i]] === undefined) unset += `${unset && ","}${stringify(before[i])}`;
      }
      if (!set && !unset) return null;
      session.#stored = next;
      return `,${session.#key},{${set}},[${unset}]`;
    }

    /** Saves at the end of a call, waiting for nothing. */
    static flush(session) {
      const changes = Session.#changes(session);
      if (changes !== null) tell("save", `,0${changes}`);
    }

    get id() {
      return this.#id;
    }
    get created_at() {
      return this.#created;
    }
    get user_id() {
      return this.#userId;
    }
    get user() {
      return (this.#user ??= new User(this));
    }
    get channel() {
      return (this.#channel ??= new Channel(this, this.#names));
    }

    /** The app's own data. Saved after the call, and by `save()`. */
    get attributes() {
      this.#remember();
      return this.#attributes;
    }
    set attributes(value) {
      if (typeof value !== "object" || value === null) throw new TypeError("session.attributes must be an object");
      this.#remember();
      this.#attributes = value;
    }

    #remember() {
      if (this.#stored !== null) return;
      const stored = create(null);
      const names = keys(this.#attributes);
      for (let i = 0; i < names.length; i++) stored[names[i]] = stringify(this.#attributes[names[i]]);
      this.#stored = stored;
    }

    save(callback) {
      const changes = Session.#changes(this);
      const saved = changes === null ? Promise.resolve() : when(ask("save", changes), () => undefined);
      return both(saved, callback, "session.save");
    }

    /** Logs a user in. Nothing happens without an id. */
    setUserId(id, callback) {
      const done = id ? Session.login(this, wellFormed(String(id))) : Promise.resolve();
      return both(done, callback, "session.setUserId");
    }

    authenticate(module, params, callback) {
      return both(ss.authenticate(module, params), callback, "session.authenticate");
    }

    /** Calls back once when this connection is gone. */
    on(event, fn) {
      if (event !== "disconnect") throw new TypeError("a session has only the event 'disconnect'");
      if (typeof fn !== "function") throw new TypeError("session.on wants a function");
      const connection = this.#connection;
      if (connection === null) return this;
      const known = mapGet(watched, connection);
      if (known) {
        known[known.length] = fn;
      } else {
        mapSet(watched, connection, [fn]);
        tell("watch", `,${connection}`);
      }
      return this;
    }
  }
  for (const made of [User, Channel, Session]) freeze(made.prototype);

  ss.Session = Session;

  /** A connection is gone: its handlers run, once, with the session as it is now. */
  ss.disconnected = (connection, view) => {
    const handlers = mapGet(watched, connection);
    if (!handlers) return;
    mapDelete(watched, connection);
    const session = new Session(view, null);
    for (let i = 0; i < handlers.length; i++) {
      const handler = handlers[i];
      ss.callBack("a 'disconnect' handler", () => {
        const result = ss.p.apply(handler, session, [session]);
        const late = ss.promised(result);
        const flush = () => ss.callBack("saving the session", () => Session.flush(session));
        if (late) when(late, flush, (error) => ss.report("a 'disconnect' handler failed", error));
        else flush();
      });
    }
  };
});
