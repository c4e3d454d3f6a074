exports.secret = require('../../../own/secrets').token;
