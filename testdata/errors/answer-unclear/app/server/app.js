exports.actions = {
  async later(number, cb) {
    cb(number * 2);
  },
  each(items, fn) {
    return items.length;
  },
  first(cb, number) {
    cb(number);
  },
  maybe(number, callback = () => {}) {
    callback(number);
  },
  clear(number, cb) {
    if (number < 0) return cb(null);
    cb(Math.sqrt(number));
  },
};
