import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { create } from 'zustand';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { equal, done } from './check';

const useBears = create<{ n: number }>(() => ({ n: 3 }));

export async function init() {
  const client = new QueryClient();
  equal(await client.fetchQuery({ queryKey: ['a'], queryFn: async () => 5 }), 5);
  const observer = new QueryObserver(client, { queryKey: ['a'], staleTime: Infinity });
  equal(observer.getCurrentResult().data, 5);
  const Bears = () => <i>{useBears((s) => s.n)}</i>;
  const root = document.createElement('div');
  createRoot(root).render(createElement(Bears));
  const look = () => {
    if (!root.firstChild) return setTimeout(look, 5);
    equal(root.innerHTML, '<i>3</i>');
    done();
  };
  look();
}
