/** @jsx h */
/** @jsxFrag Fragment */
import { h, render, Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { signal } from './preact-store';
import { equal, done } from './check';

function Toggle() {
  const [on, set] = useState(false);
  return (
    <>
      <button class={on ? 'on' : 'off'} onClick={() => set(!on)}>
        {signal.name}
      </button>
    </>
  );
}

export function init() {
  render(<Toggle />, document.body);
  document.querySelector('button').click();
  setTimeout(() => {
    equal(document.body.innerHTML.includes('<button class="on">lamp</button>'), true);
    done();
  }, 20);
}
