// `SS.server` and `SS.shared`, made of the bundle's flat paths.
(function (ss) {
  "use strict";
  const { create, defineProperty, freeze, has, join, keys, slice, setPrototypeOf, textSplit, replace, isFrozen } = ss.p;

  const roots = { __proto__: null, server: create(null), shared: create(null) };
  ss.roots = roots;

  const alias = (name) => replace(name, /-+(.)/g, (_, letter) => letter.toUpperCase());

  /** Puts a leaf in a tree, making the branches on the way. */
  function put(root, path, property) {
    const parts = textSplit(path, "/");
    let node = root;
    for (let i = 0; i < parts.length - 1; i++) {
      if (!has(node, parts[i])) defineProperty(node, parts[i], { __proto__: null, value: create(null), enumerable: true, configurable: true });
      node = node[parts[i]];
    }
    defineProperty(node, parts[parts.length - 1], property);
  }

  /** Names with `-` also get a name that can be written with a dot, unless taken. Then nothing changes any more. */
  function finish(node) {
    const names = keys(node);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const property = ss.p.getOwnPropertyDescriptor(node, name);
      const other = alias(name);
      if (other !== name && !has(node, other)) defineProperty(node, other, { __proto__: null, ...property, enumerable: false });
      const { value } = property;
      if (typeof value === "object" && value !== null && ss.p.getPrototypeOf(value) === null && !isFrozen(value)) finish(value);
    }
    freeze(node);
  }

  /** The file an action is in, and the names to follow in its `exports.actions`. */
  function locate(path, files) {
    const parts = textSplit(path, "/");
    for (let count = parts.length - 1; count > 0; count--) {
      const file = join(slice(parts, 0, count), "/");
      if (has(files, file)) return { __proto__: null, id: files[file], names: slice(parts, count) };
    }
    return null;
  }

  /** The function of an action and the object that holds it, by own properties only. */
  function find(path, files) {
    const place = locate(path, files);
    const exports = place && ss.requireModule(place.id);
    let holder = exports === null || exports === undefined ? null : exports.actions;
    const last = place ? place.names.length - 1 : 0;
    for (let i = 0; i <= last; i++) {
      if (typeof holder !== "object" || holder === null || !has(holder, place.names[i])) return null;
      if (i < last) holder = holder[place.names[i]];
    }
    const fn = holder[place.names[last]];
    return typeof fn === "function" ? { __proto__: null, fn, holder } : null;
  }

  ss.tree = {
    __proto__: null,

    shared(files) {
      const paths = keys(files);
      for (let i = 0; i < paths.length; i++) {
        const id = files[paths[i]];
        put(roots.shared, paths[i], { __proto__: null, get: () => ss.requireModule(id), enumerable: true, configurable: true });
      }
      finish(roots.shared);
    },

    /** Finds the functions of the declared actions, once: what the app does to `exports.actions` later changes nothing. */
    server(files) {
      const paths = keys(ss.actions);
      for (let i = 0; i < paths.length; i++) {
        const action = ss.actions[paths[i]];
        const found = find(paths[i], files);
        if (!found) {
          ss.log(0, `the action ${paths[i]} of the manifest is not a function in the bundle; calls of it fail`);
          continue;
        }
        action.fn = found.fn;
        action.holder = found.holder;
        action.Context = ss.contextsOf(found.holder);
      }
    },
  };

  /** An action; made by a constructor, since objects that are written without a prototype are slow to look into. */
  class Action {
    constructor(path, params, rest, style, guard) {
      this.path = path;
      this.params = params;
      this.rest = rest;
      this.style = style;
      this.guard = guard;
      this.fn = null;
      this.holder = null;
      this.Context = null;
    }
  }
  setPrototypeOf(Action.prototype, null);

  // The functions of `SS.server` are there before the app is evaluated, so that modules may keep them.
  const declared = ss.program.actions;
  const paths = keys(declared);
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i];
    const [params, rest, style, guard] = declared[path];
    const action = new Action(path, params, rest, style, guard);
    ss.actions[path] = action;
    ss.numbered[i] = action;
    put(roots.server, path, { __proto__: null, value: freeze(ss.serverFunction(action)), enumerable: true, configurable: true });
  }
  finish(roots.server);
});
