exports.actions = {
  square: function (number, cb) {
    cb(number * number);
  },
};
