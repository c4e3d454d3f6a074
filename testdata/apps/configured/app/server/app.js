exports.actions = {
  owner: function (cb) { cb(SS.config.app.owner); },
};
