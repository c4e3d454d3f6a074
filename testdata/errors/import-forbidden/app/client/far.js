require('./near');
