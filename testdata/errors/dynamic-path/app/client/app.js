exports.init = function (name) {
  SS.server[name].list();
  SS.server.app[name]();
  SS.shared.words.list[0].length;
  SS.server.app.list[name];
};
