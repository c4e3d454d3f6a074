exports.code = 1;
