exports.init = function () {
  SS.server.app.square(25, function (answer) {
    document.body.textContent = answer;
  });
};
