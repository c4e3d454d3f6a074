// `this` of an action: the session, the user, the request and the sibling actions. Each call gets its own; what
// is shared between calls is only the shape, a prototype for each object that holds actions.
(function (ss) {
  "use strict";
  const { Map, apply, create, parse, ownKeys, accessor, hidden, freeze, getOwnPropertyDescriptor, has, setPrototypeOf, mapGet, mapSet } = ss.p;

  function Given(object) {
    return object;
  }

  /** Marks an object as a context, in a way that no other code can do, see or copy. */
  class Stamp extends Given {
    #state;
    constructor(object, state) {
      super(object);
      this.#state = state;
    }
    static of(object) {
      return typeof object === "object" && object !== null && #state in object ? object.#state : null;
    }
  }

  /**
   * What one call knows. `view` is the session as the host gave it: key, id, created_at, user_id, attributes, channels. Both it and
   * `request` are text until somebody asks: most calls do not.
   */
  class CallState {
    constructor(id, text, view, request) {
      this.id = id;
      this.text = text;
      this.view = view;
      this.request = request;
      this.session = null;
      this.requestView = null;
      this.done = "";
    }
  }
  setPrototypeOf(CallState.prototype, null);

  ss.callState = (id, view, request) => new CallState(id, null, view, request);

  /** The same from `[view,request]` as text. */
  ss.callStateOf = (id, text) => new CallState(id, text, null, null);

  function known(state) {
    if (state.text === null) return state;
    const parts = parse(state.text);
    state.view = parts[0];
    state.request = parts[1];
    state.text = null;
    return state;
  }

  /** The session that a call came with, `null` for none. */
  const viewOf = (state) => known(state).view;

  /** Who is logged in on a call's session. */
  ss.userOf = (state) => (viewOf(state) === null ? null : state.session ? state.session.user_id : state.view[3]);

  /** The state behind a context, `null` for any other value. */
  ss.stateOf = Stamp.of;

  ss.sessionOf = (state) => (viewOf(state) === null ? null : (state.session ??= new ss.Session(state.view, state.request[3])));

  const requestOf = (state) =>
    (state.requestView ??= freeze({
      id: known(state).request[0],
      origin: state.request[1],
      ip: state.request[2] ?? undefined,
      connection: state.request[3] ?? undefined,
      post: state.request[4] ?? undefined,
    }));

  const shapes = new Map();

  /** A name of every context, computed when it is first used and then the context's own. */
  function member(shape, name, make) {
    accessor(
      shape,
      name,
      function () {
        const state = Stamp.of(this);
        if (!state) return undefined;
        const value = make(state, this);
        hidden(this, name, value);
        return value;
      },
      function (value) {
        if (Stamp.of(this)) hidden(this, name, value);
      },
    );
  }

  function shapeOf(actions) {
    const known = mapGet(shapes, actions);
    if (known) return known;
    const shape = create({});
    mapSet(shapes, actions, shape);
    const names = ownKeys(actions);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (typeof name !== "string") continue;
      const { value } = getOwnPropertyDescriptor(actions, name);
      if (typeof value === "function") member(shape, name, (_, self) => (...args) => apply(value, self, args));
      else if (typeof value === "object" && value !== null) member(shape, name, (state) => ss.context(value, state));
    }
    accessor(shape, "session", function () {
      const state = Stamp.of(this);
      return state ? ss.sessionOf(state) : null;
    });
    // Apps of 0.1.5 ask for the session in this way; an action of that name is the app's own.
    if (!has(shape, "getSession")) {
      member(shape, "getSession", (state) => (callback) => {
        const session = ss.sessionOf(state);
        if (typeof callback === "function") callback(session);
        return session;
      });
    }
    accessor(shape, "user", function () {
      const state = Stamp.of(this);
      return state && viewOf(state) !== null ? ss.sessionOf(state).user : null;
    });
    accessor(shape, "request", function () {
      const state = Stamp.of(this);
      return state ? requestOf(state) : null;
    });
    return freeze(shape);
  }

  /** A new `this` for the actions of one object. */
  ss.context = (actions, state) => new Stamp(create(shapeOf(actions)), state);
});
