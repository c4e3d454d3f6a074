const auth = require('custum_auth');
exports.actions = {};
