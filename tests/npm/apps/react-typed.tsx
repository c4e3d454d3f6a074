import { memo, useReducer, type ReactNode, type Dispatch } from 'react';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';
import { equal, done } from './check';

enum Step {
  Up = 'up',
  Down = 'down',
}
interface Props {
  children?: ReactNode;
  send: Dispatch<Step>;
}
const Button = memo(function Button({ children, send }: Props) {
  return <button onClick={() => send(Step.Up)}>{children}</button>;
});

function App<T extends number>({ from }: { from: T }) {
  const [value, send] = useReducer((now: number, step: Step) => (step === Step.Up ? now + 1 : now - 1), from as number);
  return (
    <>
      <output>{value satisfies number}</output>
      <Button send={send}>more</Button>
    </>
  );
}

export function init(): void {
  const root = document.createElement('div');
  document.body.append(root);
  const mounted = createRoot(root);
  flushSync(() => mounted.render(<App from={41} />));
  flushSync(() => root.querySelector('button')!.click());
  equal(root.innerHTML, '<output>42</output><button>more</button>');
  done();
}
