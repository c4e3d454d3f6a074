// The same rules on both sides: the browser asks before it sends, the server asks because it must.

export interface Verdict {
  /** What is wrong, as a sentence; empty when nothing is. */
  problem: string;
  /** The cleaned value. */
  value: string;
}

export const limits = { name: 20, password: 72, room: 24, message: 2000 } as const;

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2066-\u2069\ufeff]/g;

function clean(text: unknown): string {
  return typeof text === 'string' ? text.replace(CONTROL, '').trim() : '';
}

function verdict(value: string, problem = ''): Verdict {
  return { problem, value };
}

/** A person's name: letters, digits, and single spaces, dots, dashes or apostrophes between them. */
export function name(text: unknown): Verdict {
  const value = clean(text).replace(/\s+/g, ' ');
  if (value === '') return verdict(value, 'Please tell us your name.');
  if ([...value].length > limits.name) return verdict(value, `A name has at most ${limits.name} characters.`);
  if (!/^[\p{L}\p{N}]+(?:[ .'’_-][\p{L}\p{N}]+)*$/u.test(value)) {
    return verdict(value, 'A name is made of letters and digits.');
  }
  return verdict(value);
}

/** A password: anything of a useful length that is not the name itself. */
export function password(text: unknown, owner: string): Verdict {
  const value = typeof text === 'string' ? text : '';
  if (value.length < 4) return verdict(value, 'A password has at least 4 characters.');
  if (value.length > limits.password) return verdict(value, `A password has at most ${limits.password} characters.`);
  if (value.toLowerCase() === owner.toLowerCase()) return verdict(value, 'Your name is not a password.');
  return verdict(value);
}

/** A room's name, made fit for a channel: `The Garden` becomes `the-garden`. */
export function room(text: unknown): Verdict {
  const value = clean(text).toLowerCase().replace(/[\s_]+/g, '-').replace(/-{2,}/g, '-').replace(/^[-#]+|-+$/g, '');
  if (value === '') return verdict(value, 'A room needs a name.');
  if ([...value].length > limits.room) return verdict(value, `A room's name has at most ${limits.room} characters.`);
  if (!/^[\p{L}\p{N}-]+$/u.test(value)) return verdict(value, "A room's name is made of letters, digits and dashes.");
  return verdict(value);
}

/** What somebody says. */
export function message(text: unknown): Verdict {
  const value = clean(text);
  if (value === '') return verdict(value, 'There is nothing to send.');
  if ([...value].length > limits.message) {
    return verdict(value, `A message has at most ${limits.message} characters.`);
  }
  return verdict(value);
}
