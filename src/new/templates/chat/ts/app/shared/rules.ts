// The same rules on both sides: a browser asks before it sends, the server asks because it must.

/** What is wrong with a name; nothing when it is fine. */
export function name(name: string): string | undefined {
  if (typeof name !== 'string' || name.trim() === '') return 'Please tell us your name.';
  if (name.trim().length > 20) return 'A name has at most 20 letters.';
  return undefined;
}

/** What is wrong with a message; nothing when it is fine. */
export function message(text: string): string | undefined {
  if (typeof text !== 'string' || text.trim() === '') return 'Write something first.';
  if (text.length > 500) return 'At most 500 letters, please.';
  return undefined;
}
