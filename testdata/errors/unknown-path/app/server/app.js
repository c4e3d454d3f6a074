exports.actions = { square(n, cb) { cb(n * n); } };
SS.shared.maths.square(1);
