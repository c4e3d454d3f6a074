import { createEffect, createMemo, createRoot, createSignal } from 'solid-js';
import { createStore, produce } from 'solid-js/store';
import html from 'solid-js/html';
import { render } from 'solid-js/web';
import { equal, done } from './check';

export function init() {
  const [count, setCount] = createSignal(1);
  const seen = [];
  createRoot(() => {
    const double = createMemo(() => count() * 2);
    createEffect(() => seen.push(double()));
  });
  setCount(4);
  equal(seen, [2, 8]);
  const [state, set] = createStore({ list: [1] });
  set(produce((s) => s.list.push(2)));
  equal([...state.list], [1, 2]);
  render(() => html`<p class=${() => `n${count()}`}>hi ${count}</p>`, document.body);
  setCount(5);
  equal(document.querySelector('p.n5').textContent, 'hi 5');
  done();
}
