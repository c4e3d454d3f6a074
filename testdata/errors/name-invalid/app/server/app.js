exports.actions = { 'a/b'(cb) { cb(1); } };
