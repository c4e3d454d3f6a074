// Actions that go wrong, each in its own way, to see that only their caller is told.

const asleep = [];

exports.actions = {
  throws() {
    throw new Error('thrown on purpose');
  },

  async rejects() {
    await null;
    throw new TypeError('rejected on purpose');
  },

  spins(cb) {
    for (;;) asleep.length = 0;
    cb('unreachable');
  },

  eats() {
    const meal = [];
    for (;;) meal.push(new Array(10000).fill(meal.length));
  },

  recurses() {
    const down = (depth) => 1 + down(depth + 1);
    return down(0);
  },

  silent(cb) {
    asleep.push(cb);
  },

  echo: (value, cb) => cb(value),
};
