// What stands on the page. Text is always set as text, never as HTML.

type Field = (name: string) => HTMLInputElement;

const one = (id: string): HTMLElement | null => document.getElementById(id);

function line(text: string, strong?: string): HTMLLIElement {
  const item = document.createElement('li');
  if (strong) item.append(Object.assign(document.createElement('b'), { textContent: strong }));
  item.append(text);
  return item;
}

export function state(text: string): void {
  one('state')!.textContent = text;
}

export function problem(text?: string): void {
  one('problem')!.textContent = text ?? '';
}

/** Shows a template, and calls `submit` with the fields of its form. */
export function show(template: string, submit: (field: Field) => void): void {
  const content = one('content')!;
  content.innerHTML = SS.templates[template as keyof typeof SS.templates];
  const form = content.querySelector('form')!;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit((name) => form.elements.namedItem(name) as HTMLInputElement);
  });
}

export function people(names: string[]): void {
  one('people')?.replaceChildren(...names.map((name) => line(name)));
}

export function message({ from, text }: { from: string | null; text: string }): void {
  one('messages')?.append(line(text, from ?? ''));
}
