exports.actions = make();
