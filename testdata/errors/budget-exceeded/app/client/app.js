exports.init = function () {
  document.title = 'This is more than ten bytes.';
};
