const b = require('./b');
exports.x = () => b;
