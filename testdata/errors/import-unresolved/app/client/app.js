const x = require( 'not-installed');
require('/elsewhere/x');
require('/shared/nothing');
require('./missing');
