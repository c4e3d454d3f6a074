exports.defaults = {};
