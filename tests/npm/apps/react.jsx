import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { equal, done } from './check';

function Counter({ start }) {
  const [count, setCount] = useState(start);
  useEffect(() => {
    if (count < 3) setCount(count + 1);
  }, [count]);
  return (
    <p id="count" className={count === 3 ? 'full' : ''}>
      {count} of {3}
    </p>
  );
}

export function init() {
  const root = document.createElement('main');
  document.body.append(root);
  createRoot(root).render(
    <StrictMode>
      <Counter start={1} />
      <>
        <input defaultValue="x" aria-label="name" />
      </>
    </StrictMode>,
  );
  const look = () => {
    if (!document.querySelector('#count.full')) return setTimeout(look, 10);
    equal(root.innerHTML, '<p id="count" class="full">3 of 3</p><input aria-label="name" value="x">');
    done();
  };
  look();
}
