var fs = require('fs');
exports.config = {name: fs.readFileSync('name', 'utf8')};
