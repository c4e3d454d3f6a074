exports.actions = {};
