export * from './more.js';
export const square = (n) => n * n;
