import { writable, derived, get } from 'svelte/store';
import { mount, flushSync } from 'svelte';
import * as $ from 'svelte/internal/client';
import { equal, done } from './check';

// What the compiler of Svelte writes for `<button on:click={more}>{count}</button>`.
const template = $.from_html('<button> </button>');
function Counter(anchor) {
  const count = $.state(1);
  const button = template();
  const text = $.child(button, true);
  $.reset(button);
  $.template_effect(() => $.set_text(text, $.get(count)));
  button.addEventListener('click', () => $.set(count, $.get(count) + 1));
  $.append(anchor, button);
}

export function init() {
  const count = writable(2);
  const double = derived(count, (n) => n * 2);
  count.update((n) => n + 1);
  equal(get(double), 6);
  mount(Counter, { target: document.body });
  const button = document.querySelector('button');
  flushSync(() => button.click());
  equal(button.textContent, '2');
  done();
}
