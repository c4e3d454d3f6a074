exports.init = function () {
  SS.server.bench.square(25, function (answer) {
    document.body.textContent = answer;
  });
};
