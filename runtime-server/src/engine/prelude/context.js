// `this` of an action: the session, the user, the request and the sibling actions. Each call gets its own; what
// is shared between calls is only the shape, a prototype for each object that holds actions.
(function (ss) {
  "use strict";
  const { Map, apply, create, parse, ownKeys, accessor, hidden, freeze, getOwnPropertyDescriptor, getPrototypeOf, has, setPrototypeOf, mapGet, mapSet } = ss.p;

  /**
   * What one call knows. `view` is the session as the host gave it: key, id, created_at, user_id, attributes, channels. Both it and
   * `request` are text until somebody asks: most calls do not. `number` is the client's own, of a call over a socket.
   */
  class CallState {
    constructor(id, number, text, known) {
      this.id = id;
      this.number = number;
      this.text = text;
      this.known = known;
      this.session = null;
      this.done = "";
    }
  }
  setPrototypeOf(CallState.prototype, null);

  ss.callState = (id, view, request) => new CallState(id, 0, null, { __proto__: null, view, request, shown: null });

  ss.CallState = CallState;

  function known(state) {
    if (state.known !== null) return state.known;
    const parts = parse(state.text);
    // The calls of one message have one text.
    if (parts[1][0] === null) parts[1][0] = `${parts[1][3]}-${state.number}`;
    return (state.known = { __proto__: null, view: parts[0], request: parts[1], shown: null });
  }

  /** The session that a call came with, `null` for none. */
  const viewOf = (state) => known(state).view;

  /** Who is logged in on a call's session. */
  ss.userOf = (state) => (viewOf(state) === null ? null : state.session ? state.session.user_id : viewOf(state)[3]);

  /** The state behind a context, `null` for any other value. */
  ss.stateOf = (object) => {
    if (typeof object !== "object" || object === null) return null;
    const of = mapGet(readers, getPrototypeOf(object));
    return of === undefined ? null : of(object);
  };

  ss.sessionOf = (state) => {
    const { view, request } = known(state);
    return view === null ? null : (state.session ??= new ss.Session(view, request[3]));
  };

  function requestOf(state) {
    const about = known(state);
    const { request } = about;
    return (about.shown ??= freeze({
      id: request[0],
      origin: request[1],
      ip: request[2] ?? undefined,
      connection: request[3] ?? undefined,
      post: request[4] ?? undefined,
    }));
  }

  /** The class of contexts for each object that holds actions, and what reads the state of its objects, by their prototype. */
  const shapes = new Map();
  const readers = new Map();

  /** A name of every context, computed when it is first used and then the context's own. */
  function member(shape, of, name, make) {
    accessor(
      shape,
      name,
      function () {
        const state = of(this);
        if (!state) return undefined;
        const value = make(state, this);
        hidden(this, name, value);
        return value;
      },
      function (value) {
        if (of(this)) hidden(this, name, value);
      },
    );
  }

  function shapeOf(actions) {
    const made = mapGet(shapes, actions);
    if (made) return made;
    /** Its state is where no other code can see, copy or forge it. */
    class Context {
      #state;
      constructor(state) {
        this.#state = state;
      }
      static of(object) {
        return typeof object === "object" && object !== null && #state in object ? object.#state : null;
      }
    }
    mapSet(shapes, actions, Context);
    const { of, prototype: shape } = Context;
    mapSet(readers, shape, of);
    delete shape.constructor;
    setPrototypeOf(shape, create({}));
    const names = ownKeys(actions);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (typeof name !== "string") continue;
      const { value } = getOwnPropertyDescriptor(actions, name);
      if (typeof value === "function") member(shape, of, name, (_, self) => (...args) => apply(value, self, args));
      else if (typeof value === "object" && value !== null) member(shape, of, name, (state) => ss.context(value, state));
    }
    accessor(shape, "session", function () {
      const state = of(this);
      return state ? ss.sessionOf(state) : null;
    });
    // Apps of 0.1.5 ask for the session in this way; an action of that name is the app's own.
    if (!has(shape, "getSession")) {
      member(shape, of, "getSession", (state) => (callback) => {
        const session = ss.sessionOf(state);
        if (typeof callback === "function") callback(session);
        return session;
      });
    }
    accessor(shape, "user", function () {
      const state = of(this);
      return state && viewOf(state) !== null ? ss.sessionOf(state).user : null;
    });
    accessor(shape, "request", function () {
      const state = of(this);
      return state ? requestOf(state) : null;
    });
    freeze(shape);
    return Context;
  }

  /** What makes a new `this` for the actions of one object out of a call's state. */
  ss.contextsOf = shapeOf;

  /** A new `this` for the actions of one object. */
  ss.context = (actions, state) => new (shapeOf(actions))(state);
});
