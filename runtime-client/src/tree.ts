// The API trees: `SS.client` and `SS.shared` show modules, `SS.server` holds one function for each action.

import type { Page } from "./page";
import type { ServerMessage } from "./protocol";

/** What the loader offers to the runtime. */
export interface Loader {
  page(): object;
  trees: { [tree: string]: { [path: string]: number } };
  /** The module of that id without evaluating it; nothing when it is not here yet. */
  peek(id: number): { exports: unknown; failed?: object | null } | undefined;
  /** Calls `fn` when all modules that were started are evaluated, be it now. */
  whenStarted(fn: () => void): void;
  report(error: unknown): void;
  watch(fn: () => void): void;
  /** What development adds: it hears every message. */
  develop?(message: ServerMessage, page: Page, send: (text: string) => void): void;
}

/** A place in a tree. Without a prototype, so that no path finds what it should not. */
export interface Node {
  [name: string]: any;
}

/** An empty place. */
export function createNode(): Node {
  return Object.create(null);
}

/** Puts what is new in the loader's trees into `roots`; `action` makes the function of an action. */
export function grow(
  loader: Loader,
  roots: { client: Node; shared: Node; server: Node },
  action: (path: string, params: number) => Function,
): void {
  const { client, shared, server } = loader.trees;
  for (const [root, tree] of [[roots.client, client], [roots.shared, shared]] as [Node, typeof client][]) {
    for (const path in tree) {
      const module = loader.peek(tree[path]);
      // A chunk's modules are absent until they are loaded.
      if (module) place(root, path, () => ({ get: () => module.exports }));
    }
  }
  for (const path in server) place(roots.server, path, () => ({ value: action(path, server[path]), writable: true }));
}

function place(root: Node, path: string, what: () => PropertyDescriptor) {
  const parts = path.split("/");
  const last = parts.pop() as string;
  let node = root;
  for (const part of parts) {
    if (!holds(node, part)) put(node, part, { value: createNode(), writable: true });
    node = node[part];
  }
  if (!holds(node, last)) put(node, last, what());
}

function put(node: Node, name: string, what: PropertyDescriptor) {
  Object.defineProperty(node, name, { enumerable: true, configurable: true, ...what });
  // `top-bar` is `topBar` too, where nothing else is; a file of that very name takes the place over.
  const alias = name.replace(/-+(.)/g, (_, letter) => letter.toUpperCase());
  if (alias !== name && !(alias in node)) {
    Object.defineProperty(node, alias, { configurable: true, get: () => node[name] });
  }
}

function holds(node: Node, name: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(node, name);
}
