
var accounts = [{id: 1, name: 'Ann', balance: 1250}, {id: 2, name: 'Ben', balance: 99}];
exports.all = function() { return accounts.map(function(a) { return {id: a.id, name: a.name}; }); };
exports.find = function(id, cb) {
  process.nextTick(function() {
    var found = accounts.filter(function(a) { return a.id === id; })[0];
    if (found) cb(null, found); else cb('no such account');
  });
};
