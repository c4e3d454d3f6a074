exports.n = 10;
