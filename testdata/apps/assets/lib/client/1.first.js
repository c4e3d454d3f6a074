var first = function (aLongParameter) {
  return aLongParameter + 1;
};
