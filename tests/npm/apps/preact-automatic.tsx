/** @jsxImportSource preact */
import { render } from 'preact';
import { equal, done } from './check';

const List = ({ of }: { of: string[] }) => (
  <ul>
    {of.map((name) => (
      <li key={name} {...{ title: name }}>
        {name}
      </li>
    ))}
  </ul>
);

export function init() {
  const root = document.createElement('div');
  render(<List of={['x', 'y']} />, root);
  equal(root.innerHTML, '<ul><li title="x">x</li><li title="y">y</li></ul>');
  done();
}
