exports.style = 'callback';
exports.actions = {
  async fine(number, cb) {
    cb(number);
  },
  nothing() {
    return 1;
  },
};
