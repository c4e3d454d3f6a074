// What browsers may call: SS.server.app.greet('…') gives a promise of what is returned here.
export const actions = {
  greet(name: string): string {
    return `Hello from the server of ${name}.`;
  },
};
