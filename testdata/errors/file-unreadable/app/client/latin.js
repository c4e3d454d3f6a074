exports.x = 'ä';
