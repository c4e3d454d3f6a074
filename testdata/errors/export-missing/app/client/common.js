exports.anything = 1;
