// The app's `init` runs once, when the socket is ready and the document is loaded.

import type { Env } from "./env";
import type { Node } from "./tree";

/** Calls `fn` once the document is loaded, be it now. */
export function whenLoaded(env: Env, fn: () => void): void {
  let done = false;
  function once() {
    if (!done) fn();
    done = true;
  }
  // "interactive" is too early: deferred scripts, the app among them, run in that state.
  if (env.document.readyState === "complete") once();
  else {
    env.document.addEventListener("DOMContentLoaded", once);
    env.window.addEventListener("load", once);
  }
}

/** `SS.client.app.init`, else `window.app.init` as 2011's first apps have it. */
export function findInit(client: Node, window: Env["window"]): (() => void) | null {
  for (const app of [client.app, window.app]) {
    if (app && typeof app.init === "function") return () => app.init();
  }
  return null;
}
