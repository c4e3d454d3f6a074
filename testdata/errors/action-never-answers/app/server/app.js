exports.actions = {
  silent: function (what, cb) {
    console.log(what);
  },
  fine: function (what) {
    return what;
  },
};
