const { settings } = require('./settings');
exports.init = () => settings;
