import { square } from '/shared/square';
import logo from './logo.svg';

const add = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

const ask = (worker: Worker, message: unknown) =>
  new Promise<any>((resolve) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.postMessage(message);
  });

self.onmessage = async ({ data }: MessageEvent) => {
  if (data === 'again?') return self.postMessage('again');
  const total = add(data);
  const { later } = await import('./later');
  const nested = await ask(new Worker(new URL('./double.ts', import.meta.url)), total);
  const itself = await ask(new Worker(new URL('./sum.ts', import.meta.url), { type: 'module' }), 'again?');
  self.postMessage({ total, square: square(total), name: self.name, later, nested, itself, logo: new URL(logo, location.href).href });
};
