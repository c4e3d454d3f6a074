require('./x.png');
