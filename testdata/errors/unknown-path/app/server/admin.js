exports.actions = { reset: { all(cb) { cb(1); } } };
