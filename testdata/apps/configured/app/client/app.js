exports.init = function () {
  document.title = SS.config.title + ' ' + process.env.SS_PUBLIC_TITLE;
};
