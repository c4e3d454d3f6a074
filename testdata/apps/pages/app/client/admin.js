const own = require('../../own/table');
const both = require('./shared-by-both');

both.say(own.table([1, 2]));
