exports.actions = {
  silent: function (a) { console.log(a); },
};
