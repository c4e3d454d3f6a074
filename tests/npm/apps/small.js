// Small packages of many shapes.
import { v4, v5, validate } from 'uuid';
import { nanoid, customAlphabet } from 'nanoid';
import { produce } from 'immer';
import { createStore, combineReducers } from 'redux';
import { createStore as zustand } from 'zustand/vanilla';
import htm from 'htm';
import { marked } from 'marked';
import { equal, done } from './check';

export function init() {
  equal(validate(v4()), true);
  equal(v5('ss', v5.URL), v5('ss', v5.URL));
  equal(nanoid(7).length, 7);
  equal(customAlphabet('a', 3)(), 'aaa');
  const before = { a: { b: 1 }, c: {} };
  const after = produce(before, (draft) => {
    draft.a.b = 2;
  });
  equal([after.a.b, before.a.b, after.c === before.c], [2, 1, true]);
  const store = createStore(combineReducers({ n: (n = 0, { type }) => (type === 'up' ? n + 1 : n) }));
  store.dispatch({ type: 'up' });
  equal(store.getState(), { n: 1 });
  const bear = zustand((set) => ({ n: 1, more: () => set(({ n }) => ({ n: n + 1 })) }));
  bear.getState().more();
  equal(bear.getState().n, 2);
  equal(htm.bind((tag, props, ...children) => ({ tag, props, children }))`<p a=${1}>x</p>`, { tag: 'p', props: { a: 1 }, children: ['x'] });
  equal(marked.parse('# *Hi*'), '<h1><em>Hi</em></h1>\n');
  done();
}
