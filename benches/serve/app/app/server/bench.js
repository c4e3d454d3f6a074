// What the load generator calls, on either engine; the peers in `../peers` have the same, but for the attacks.
function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

exports.actions = {
  square(number) {
    return number * number;
  },

  fib(number) {
    return fib(number);
  },

  later(number, cb) {
    setTimeout(() => cb(number * number), 5);
  },

  publish(text) {
    SS.publish.broadcast('news', text);
    return true;
  },

  // What an app's worst day looks like.
  endless() {
    for (;;);
  },

  allocate() {
    const kept = [];
    for (;;) kept.push(new Array(100000).fill(kept.length));
  },

  recurse() {
    const deeper = (n) => deeper(n + 1) + 1;
    return deeper(0);
  },

  flood() {
    const again = () => Promise.resolve().then(again);
    return again();
  },

  native() {
    const text = JSON.stringify(new Array(300000).fill('a text of some length'));
    for (let i = 0; i < 100; i++) JSON.parse(text);
    return true;
  },
};
