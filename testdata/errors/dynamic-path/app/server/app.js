exports.actions = { list() { return []; } };
