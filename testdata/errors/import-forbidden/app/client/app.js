const via = require('./via');
const fs = require('fs');
