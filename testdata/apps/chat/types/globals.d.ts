// What the libraries in lib/client define.

declare const dom: {
  escape(text: unknown): string;
  fill(template: string, data: Record<string, unknown>): string;
  make(template: string, data?: Record<string, unknown>): HTMLElement;
  one<T extends HTMLElement = HTMLElement>(selector: string, within?: ParentNode): T;
  all(selector: string, within?: ParentNode): HTMLElement[];
  on(root: EventTarget, type: string, selector: string, handler: (element: HTMLElement, event: Event) => void): void;
  replace(parent: Element, children: Node[]): void;
};

declare const emoji: { plain(text: string): string };
