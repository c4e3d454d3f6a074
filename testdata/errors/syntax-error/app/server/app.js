exports.actions = {
