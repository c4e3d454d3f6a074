exports.all = require('../../config/app.json');
