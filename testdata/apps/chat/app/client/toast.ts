// Short words at the edge of the screen, for what went wrong.

const SHOWN_MS = 5000;

export function say(text: string): void {
  const toast = dom.make(SS.templates['session-toast'], { text });
  dom.one('#toasts').appendChild(toast);
  setTimeout(() => toast.remove(), SHOWN_MS);
}
