// Who is writing just now.

const timers = new Map<string, ReturnType<typeof setTimeout>>();

function render(): void {
  const names = [...timers.keys()];
  const line = dom.one('#typing');
  line.classList.toggle('is-shown', names.length > 0);
  dom.one('.typing__text', line).textContent =
    names.length === 0
      ? ''
      : names.length === 1
        ? `${names[0]} is writing`
        : names.length === 2
          ? `${names[0]} and ${names[1]} are writing`
          : 'Several people are writing';
}

/** Shows the name for so long; 0 takes it away. */
export function heardTyping(name: string, forMs: number): void {
  const timer = timers.get(name);
  if (timer !== undefined) clearTimeout(timer);
  timers.delete(name);
  if (forMs > 0) timers.set(name, setTimeout(() => heardTyping(name, 0), forMs));
  render();
}

export function forget(): void {
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
  render();
}
