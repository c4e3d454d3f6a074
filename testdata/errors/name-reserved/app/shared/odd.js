exports.then = 1;
exports.fine = 2;
