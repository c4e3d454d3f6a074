exports.init = function () {};
