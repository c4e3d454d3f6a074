const more = require('./other');
exports.actions = { ok(cb) { cb(1); }, ...more, [name]: 1 };
