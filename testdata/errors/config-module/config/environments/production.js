var names = require('../defaults');

exports.config = { client: { title: names.defaults.title.long } };
