exports.init = () => 1;
