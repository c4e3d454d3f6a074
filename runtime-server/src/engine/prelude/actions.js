// Running actions: how they are called and what answers.
(function (ss) {
  "use strict";
  const { Map, Promise, apply, create, isArray, slice, isPromise, when, deferred, mapGet, mapSet, mapDelete, stringify } = ss.p;
  const { CallState, SSError, describe, encode, host } = ss;

  const CALLBACK = 0;

  /** Sends the answer of a call: JSON text, or a whole number as it is. */
  const send = host.answer;

  let broken = false;

  /** The app has not started: calls fail from now on. */
  ss.breakCalls = () => {
    broken = true;
  };

  /** Path to `{path, params, rest, style, guard, fn, holder, Context}`; filled by the tree when the app is loaded. */
  const actions = create(null);
  ss.actions = actions;

  /** The same in the order of the host, which names them by their number. */
  const numbered = [];
  ss.numbered = numbered;

  /** Calls without an answer yet, by id. */
  const waiting = new Map();

  /** A promise for what is one or behaves like one, else `null`. */
  ss.promised = (value) => {
    if (isPromise(value)) return value;
    if (typeof value !== "object" || value === null || typeof value.then !== "function") return null;
    return new Promise((resolve) => resolve(value));
  };

  /** Runs an action. Exactly one of `ok` and `failed` is meant, but the action may call either late or twice. */
  function run(action, state, args, ok, failed) {
    const self = new action.Context(state);
    let result;
    if (action.style === CALLBACK) {
      let count = action.params;
      if (action.rest) count = args.length > count - 1 ? args.length : count - 1;
      const list = slice(args, 0, count);
      while (list.length < count) list[list.length] = undefined;
      list[count] = (value) => ok(value);
      try {
        result = apply(action.fn, self, list);
      } catch (error) {
        return failed(error);
      }
      const late = ss.promised(result);
      if (late) when(late, undefined, failed);
      return;
    }
    try {
      result = apply(action.fn, self, args);
      const late = ss.promised(result);
      if (late) return void when(late, ok, failed);
    } catch (error) {
      return failed(error);
    }
    ok(result);
  }

  function guarded(action, state) {
    if (action.guard && ss.userOf(state) === null) {
      throw new SSError("not_authenticated", "You have to log in first");
    }
  }

  function fail(state, what, error) {
    if (state.done !== "") return ss.report(`${what} failed after it had ${state.done}`, error);
    state.done = "failed";
    mapDelete(waiting, state.id);
    const { code, message, stack } = describe(error);
    ss.exception(error, what);
    host.send(`["fail",${state.id},"${code}",${stringify(message)},${stringify(stack)}]`);
  }

  /** A failure with no other place to go: the owner's call fails instead of waiting for its timeout. */
  ss.failOwner = (what, error) => {
    const state = mapGet(waiting, ss.owner());
    if (state) fail(state, what, error);
    else ss.report(what, error);
  };

  function answer(state, what, value) {
    if (state.done !== "") return ss.log(1, `${what} answered again after it had ${state.done}; the answer is dropped`);
    let text;
    try {
      text = typeof value === "number" && value - value === 0 ? `${value}` : encode(value, "the answer");
      if (text === "{}" && ss.isGenerator(value)) {
        throw new SSError("not_serializable", "the answer is a generator: nobody runs it; make the action async and await what it yields");
      }
      if (state.session !== null) ss.Session.flush(state.session);
    } catch (error) {
      return fail(state, what, error);
    }
    state.done = "answered";
    mapDelete(waiting, state.id);
    send(state.id, text);
  }

  /** A call of the host that has just come: nothing else can have answered it yet. */
  function begin(action, state, args) {
    if (action.style === CALLBACK) return beginWithCallback(action, state, args);
    let result;
    try {
      result = apply(action.fn, new action.Context(state), args);
    } catch (error) {
      return fail(state, action.path, error);
    }
    // The most frequent kinds of answers need no text, and no look for a promise.
    if (typeof result === "number" && (result | 0) === result && state.session === null) {
      state.done = "answered";
      return void send(state.id, result);
    }
    end(action, state, result);
  }

  function beginWithCallback(action, state, args) {
    run(action, state, args, (value) => answer(state, action.path, value), (error) => fail(state, action.path, error));
    if (state.done === "") mapSet(waiting, state.id, state);
  }

  /** An action has returned. */
  function end(action, state, result) {
    let late = null;
    try {
      if (typeof result === "object") late = ss.promised(result);
    } catch (error) {
      return fail(state, action.path, error);
    }
    if (late === null) return answer(state, action.path, result);
    mapSet(waiting, state.id, state);
    when(late, (value) => answer(state, action.path, value), (error) => fail(state, action.path, error));
  }

  /** A call of the host; `known` is what it knows, as text. */
  ss.call = (id, path, args, known, number = 0) => {
    const state = new CallState(id, number, known, null);
    const action = actions[path];
    try {
      ss.checkStarted();
      if (!action || !action.fn) throw new SSError("unknown_action", `There is no action '${path}'`);
      if (!isArray(args)) throw new SSError("bad_request", "The arguments of a call must be an array");
    } catch (error) {
      return fail(state, path, error);
    }
    begin(action, state, args);
  };

  /** The same for one of several that came together: the host has seen that `args` is an array. */
  ss.numberedCall = (id, number, index, args, known) => {
    const action = numbered[index];
    if (broken || action.fn === null) return ss.call(id, action.path, args, known, number);
    begin(action, new CallState(id, number, known, null), args);
  };

  /** A call that cannot be begun with. */
  ss.failCall = (id, error) => fail(ss.callState(id, null, null), "a call", error);

  /** The ends of something that the host waits for as it does for a call. */
  ss.answers = (state, what) => ({
    __proto__: null,
    answer: (value) => answer(state, what, value),
    fail: (error) => fail(state, what, error),
    wait: () => void (state.done || mapSet(waiting, state.id, state)),
  });

  /** The host has answered a call by itself. */
  ss.ended = (id) => {
    const state = mapGet(waiting, id);
    if (!state) return;
    mapDelete(waiting, id);
    state.done = "been given up";
  };

  /** Runs `authenticate` of a named module; a promise of its answer. */
  ss.authenticate = (name, params) => {
    const ends = deferred();
    try {
      const id = typeof name === "string" ? ss.named[name] : undefined;
      if (id === undefined) throw new SSError("action_error", `There is no module named '${ss.text(name)}'`);
      const module = ss.requireModule(id);
      if (module === null || module === undefined || typeof module.authenticate !== "function") {
        throw new SSError("action_error", `The module '${name}' does not export authenticate`);
      }
      const late = ss.promised(apply(module.authenticate, module, [params, ends.resolve]));
      if (late) when(late, (value) => value !== undefined && ends.resolve(value), ends.reject);
    } catch (error) {
      ends.reject(error);
    }
    return ends.promise;
  };

  /** A call of the host to an authentication module. */
  ss.authenticateCall = (id, name, params, view, request) => {
    const state = ss.callState(id, view, request);
    mapSet(waiting, id, state);
    const what = `authentication by ${name}`;
    when(ss.authenticate(name, params), (value) => answer(state, what, value), (error) => fail(state, what, error));
  };

  const nobody = ["server", "server", null, null, null];

  /** `SS.server.a.b` of server code: no session and no guard, unless `.call(this, …)` brings both. */
  ss.serverFunction = (action) =>
    function (...args) {
      const given = ss.stateOf(this);
      const last = args.length - 1;
      const called = last >= 0 && typeof args[last] === "function" && (action.style === CALLBACK || last >= action.params);
      const callback = called ? args[last] : undefined;
      const data = called ? slice(args, 0, last) : args;
      const ends = deferred();
      const state = given ?? ss.callState(0, null, nobody);
      try {
        if (!action.fn) throw new SSError("unknown_action", `There is no action '${action.path}'`);
        if (given) guarded(action, state);
        run(action, state, data, ends.resolve, ends.reject);
      } catch (error) {
        ends.reject(error);
      }
      return ss.both(ends.promise, callback, action.path);
    };
});
