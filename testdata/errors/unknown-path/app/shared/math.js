exports.square = 1;
