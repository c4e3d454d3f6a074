// What browsers may call: SS.server.app.greet('…') gives a promise of what is returned here.
exports.actions = {
  greet(name) {
    return `Hello from the server of ${name}.`;
  },
};
