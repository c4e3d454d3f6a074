export const actions = {
  sum: (a: number, b: number, done: (n: number) => void) => done(a + b),
};
