exports.find = 1;
