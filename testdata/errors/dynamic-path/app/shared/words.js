exports.list = ['a'];
