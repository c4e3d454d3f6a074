// What a page does for its author while the app is worked on. Only development builds carry it, and it does nothing
// until the server says that there is an author.

import { createHot } from "./hot";
import type { HotLoader, Update } from "./hot";
import { createOverlay } from "./overlay";
import type { Problem } from "./overlay";
import type { Page } from "./page";
import { said } from "./protocol";
import type { ServerMessage } from "./protocol";

/** Reports sent in so many milliseconds: a page that fails in a loop must not be cut off for it. */
const REPORTS = 10;
const REPORTS_MS = 10000;
/** Where a page leaves word of why it reloads. */
const NOTE = "ss-reload";

const loader = (window as any).__ss as HotLoader;
const overlay = createOverlay(document);
let say: ((text: string) => void) | null = null;
let reports: number[] = [];

function reload(reason: string) {
  try {
    sessionStorage.setItem(NOTE, reason);
  } catch (_) {
    // A page without storage reloads without a word.
  }
  location.reload();
}

const hot = createHot(loader, (window as any).SS, reload);

/** Hears every message of the server. */
loader.develop = function (message: ServerMessage, page: Page, send: (text: string) => void) {
  switch (message[0]) {
    case 0:
      say = message[5] && message[5].develops ? send : null;
      break;
    case 11:
      hot.update(message[1] as Update, page);
      break;
    case 12:
      overlay.problems(message[1] as Problem[]);
      break;
    case 13:
      console.error("[ss] " + (message[1] as Problem).text);
      overlay.failure(message[1] as Problem);
  }
};

function report(error: any, fallback: string) {
  const now = Date.now();
  reports = reports.filter((at) => at > now - REPORTS_MS);
  if (!say || (window as any).SS.socket.state !== "open" || reports.length >= REPORTS) return;
  reports.push(now);
  say(said(0, String((error && error.stack) || fallback).slice(0, 4000)));
}

window.addEventListener("error", (event) => {
  // What a page's own resources fail to load has no error; the browser's network view shows it.
  if (event.error || event.message) report(event.error, event.message);
});
window.addEventListener("unhandledrejection", (event) => report(event.reason, "Unhandled rejection: " + event.reason));

try {
  const reason = sessionStorage.getItem(NOTE);
  if (reason) console.log("[ss] reloaded: " + reason);
  sessionStorage.removeItem(NOTE);
} catch (_) {
  // See above.
}
