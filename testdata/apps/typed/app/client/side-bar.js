exports.show = function (distance, open) {
  document.body.dataset.bar = `${distance} ${open}`;
};

exports.hot = function (previous) {
  exports.shown = previous.shown;
};
