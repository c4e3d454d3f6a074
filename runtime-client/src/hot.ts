// Hot swap: a page of one build becomes a page of another. Styles and templates are exchanged; modules that changed, and
// those that import them, are evaluated again in the records that they have, so that whoever holds a record sees the new
// exports.

import { createOwners } from "./owners";
import type { Page } from "./page";
import { createNode } from "./tree";
import type { Loader, Node } from "./tree";

/** A module's record, as far as it matters here. */
export interface Module {
  exports: any;
  done: boolean;
  failed: unknown;
  after: unknown[];
  namespace: unknown;
}

type Factory = (this: unknown, module: Module, exports: unknown, require: unknown) => unknown;
type Dependency = number | string | [string, number] | null;
type Definition = [Factory, Dependency[], string];
/** As it stands in a bundle. */
type Defined = [any, Dependency[], 1?, number[]?, number?];
type Trees = { [tree: string]: { [path: string]: number } };

/** The loader with its inner parts. */
export interface HotLoader extends Loader {
  define(map: { [id: string]: Defined }): void;
  evaluate(id: number): unknown;
  parts: {
    definitions: { [id: string]: Definition };
    modules: { [id: string]: Module };
    running: { [id: string]: boolean };
  };
  begin(modules: ModuleUpdate): void;
  commit(): void;
}

/** What a page has to do, as the server tells it. */
export interface Update {
  /** The builds that it leads from and to. */
  from: string;
  to: string;
  /** Files that changed. */
  changed: string[];
  took_ms: number;
  /** Why the page has to be loaded again. */
  reload?: string;
  /** Address of a stylesheet, its next address and integrity. */
  styles?: [string, string, string][];
  /** Id to text, or to `null` when it is gone. */
  templates?: { [id: string]: string | null };
  /** Address of a script with modules. */
  script?: string;
  /** Modules that are evaluated again. */
  modules?: string[];
  /** Whether the server code was exchanged. */
  server?: boolean;
}

/** What the script of an update says of its modules; ids are those of the build that it leads to. */
interface ModuleUpdate {
  from: string;
  to: string;
  /** Old id to new id of what stays; `null` when they are the same. */
  ids: { [id: string]: number } | null;
  /** Old ids of what is gone. */
  gone: number[];
  /** What to evaluate again, or for the first time, in this order. */
  evaluate: number[];
  /** For a module of a chunk: the others of that chunk. It is taken only where one of them is there. */
  chunks: { [id: string]: number[] };
  trees: Trees;
  /** The next chunk table. */
  table: object;
}

const has = Object.prototype.hasOwnProperty;

/** Swaps what changes in this page; `reload` is for what cannot be swapped. */
export function createHot(loader: HotLoader, SS: any, reload: (reason: string) => void) {
  const { definitions, modules, running } = loader.parts;
  const define = loader.define;
  const owners = createOwners(SS);
  /** What modules exported for this alone. */
  const kept = new WeakMap<Module, { hot?: unknown; dispose?: unknown }>();
  /** Exports of before, for modules that are being evaluated again. */
  const previous = new Map<Module, unknown>();
  let queue = Promise.resolve();
  let current: { plan: ModuleUpdate; defined: { [id: string]: Defined } } | null = null;

  loader.define = function (map) {
    const wrapped: { [id: string]: Defined } = {};
    for (const id of Object.keys(map)) {
      const [factory, dependencies, scoped, ...waiting] = map[id];
      wrapped[id] = [wrap(factory, !!scoped), dependencies, undefined, ...waiting];
    }
    if (current) Object.assign(current.defined, wrapped);
    else define(wrapped);
  };

  /** The factory, and before and after it what a swap needs. `scoped`: it is a function of `SS` that returns the factory. */
  function wrap(factory: any, scoped: boolean): Factory {
    return function (module, exports, require) {
      const own: Factory = scoped ? factory(owners.scope(module)) : factory;
      let waits: unknown;
      try {
        waits = own.call(this, module, exports, require);
      } finally {
        keep(module);
      }
      // One that waits is not swapped.
      if (waits) return (waits as Promise<unknown>).then(() => keep(module));
      const { hot } = kept.get(module) || {};
      const before = previous.get(module);
      if (previous.delete(module) && typeof hot === "function") hot(before);
      return undefined;
    };
  }

  /** Takes `hot` and `dispose` out of what others see. */
  function keep(module: Module) {
    const exports = module.exports;
    if (!exports || (typeof exports !== "object" && typeof exports !== "function")) return;
    const taken: { [name: string]: unknown } = {};
    for (const name of ["hot", "dispose"]) {
      if (!has.call(exports, name)) continue;
      try {
        taken[name] = exports[name];
        delete exports[name];
      } catch (_) {
        // Frozen exports keep theirs.
      }
    }
    kept.set(module, taken);
  }

  function dispose(module: Module) {
    const { dispose } = kept.get(module) || {};
    if (typeof dispose === "function") {
      try {
        dispose();
      } catch (error) {
        loader.report(error);
      }
    }
    owners.release(module);
  }

  loader.begin = function (plan) {
    current = { plan, defined: {} };
  };

  loader.commit = function () {
    const { plan, defined } = current as NonNullable<typeof current>;
    current = null;
    const next = (id: number) => (plan.ids ? plan.ids[id] : id);
    // In the order of evaluation, old ids are not known; what stays is found under its new id after the renumbering.
    for (const id of plan.gone) {
      if (modules[id]) dispose(modules[id]);
      delete definitions[id];
      delete modules[id];
    }
    const before = loader.trees;
    if (plan.ids) renumber(plan.ids);
    for (const id of Object.keys(defined)) {
      const chunk = plan.chunks[id];
      if (definitions[id] || !chunk || chunk.some((peer) => definitions[peer])) {
        const entry: Definition = [defined[id][0], defined[id][1], (definitions[id] || [])[2] || location.href];
        definitions[id] = entry;
      }
    }
    const again = plan.evaluate.filter((id) => modules[id] && (modules[id].done || running[id]));
    const known = again.map((id) => modules[id]);
    known
      .slice()
      .reverse()
      .forEach((module) => {
        previous.set(module, module.exports);
        dispose(module);
      });
    again.forEach((id) => {
      delete running[id];
      Object.assign(modules[id], { exports: {}, done: false, failed: null, after: [], namespace: null });
    });
    retree(before, plan.trees, next);
    (loader.page() as any).chunks = plan.table;
    // Makes nodes of what is new.
    define({});
    for (const id of plan.evaluate) {
      if (!definitions[id]) continue;
      try {
        loader.evaluate(id);
      } catch (error) {
        loader.report(error);
      }
    }
    previous.clear();
  };

  function renumber(ids: { [id: string]: number }) {
    for (const table of [definitions, modules, running] as { [id: string]: any }[]) {
      const moved: { [id: string]: any } = {};
      for (const id of Object.keys(table)) {
        if (has.call(ids, id)) moved[ids[id]] = table[id];
        delete table[id];
      }
      Object.assign(table, moved);
    }
    for (const id of Object.keys(definitions)) {
      const dependencies = definitions[id][1];
      // In place: modules that have been evaluated look into this very list.
      dependencies.forEach((dependency, n) => {
        if (typeof dependency === "number") dependencies[n] = ids[dependency];
        else if (Array.isArray(dependency)) dependency[1] = ids[dependency[1]];
      });
    }
  }

  /** Puts the new trees in the place of the old, and takes away what is not the same any more. */
  function retree(before: Trees, after: Trees, next: (id: number) => number) {
    for (const name of Object.keys(after)) {
      const [old, now] = [before[name] || {}, after[name]];
      for (const path of Object.keys(old)) {
        const same = name === "server" ? old[path] : next(old[path]);
        if (!has.call(now, path) || now[path] !== same) remove(SS[name], path.split("/"));
      }
      before[name] = Object.assign(createNode(), now);
    }
  }

  async function apply(update: Update, page: Page) {
    if (update.to === page.build) return;
    if (update.reload !== undefined) return reload(update.reload);
    if (update.from !== page.build) return reload("the page was of another build");
    for (const [old, url, integrity] of update.styles || []) await swapStyle(old, url, integrity);
    swapTemplates(SS, update.templates || {});
    if (update.script) await load(update.script);
    page.build = update.to;
    tell(update);
  }

  return {
    /** Does what an update asks for, after those before it. */
    update(update: Update, page: Page) {
      queue = queue.then(() => apply(update, page)).catch((error) => reload(String(error.message || error)));
    },
  };
}

function tell(update: Update) {
  const done: string[] = [];
  if (update.styles && update.styles.length) done.push("styles swapped");
  if (update.templates && Object.keys(update.templates).length) done.push("templates swapped");
  if (update.modules && update.modules.length) done.push(update.modules.join(", ") + " evaluated again");
  if (update.server) done.push("server code exchanged");
  const what = update.changed.join(", ") || "a new build";
  console.log("[ss] " + what + ": " + (done.join("; ") || "nothing to do here") + " (built in " + update.took_ms + " ms)");
}

function load(url: string): Promise<void> {
  return new Promise(function (resolve, reject) {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => {
      script.remove();
      resolve();
    };
    script.onerror = () => reject(new Error("the update could not be loaded"));
    document.head.appendChild(script);
  });
}

function swapStyle(old: string, url: string, integrity: string): Promise<void> {
  const links = Array.from(document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]'));
  const link = links.find((link) => (link.getAttribute("href") || "").endsWith(old));
  // A page that does not have it does not want it.
  if (!link) return Promise.resolve();
  return new Promise(function (resolve, reject) {
    const next = link.cloneNode() as HTMLLinkElement;
    next.integrity = integrity;
    next.href = (link.getAttribute("href") || "").slice(0, -old.length) + url;
    // The old one stays until then, so that the page is never without.
    next.onload = () => {
      // They know the old one, as it may know the one before: a day's stylesheets would stay.
      next.onload = next.onerror = null;
      link.remove();
      resolve();
    };
    next.onerror = () => reject(new Error("a stylesheet could not be loaded"));
    link.after(next);
  });
}

function swapTemplates(SS: any, templates: { [id: string]: string | null }) {
  for (const id of Object.keys(templates)) {
    const text = templates[id];
    let element = document.getElementById(id);
    if (text === null) {
      if (element) element.remove();
      delete SS.templates[id];
      continue;
    }
    if (!element) {
      element = document.createElement("script");
      element.setAttribute("type", "text/html");
      element.id = id;
      document.head.appendChild(element);
    }
    element.textContent = text;
    SS.templates[id] = text;
  }
}

/** Takes a place out of a tree, and folders that are empty then. */
function remove(node: Node, parts: string[]) {
  const [name, ...rest] = parts;
  if (rest.length) {
    if (!has.call(node, name)) return;
    remove(node[name], rest);
    if (Object.keys(node[name]).length) return;
  }
  delete node[name];
  const alias = name.replace(/-+(.)/g, (_, letter) => letter.toUpperCase());
  const place = Object.getOwnPropertyDescriptor(node, alias);
  if (alias !== name && place && !place.enumerable) delete node[alias];
}
