exports.actions = { square: (n, cb) => cb(n * n) };
