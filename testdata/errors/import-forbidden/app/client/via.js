require('../server/app');
require('../../lib/server/auth');
