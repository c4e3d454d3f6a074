exports.show = 1;
