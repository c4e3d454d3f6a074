// What the apps report with: the title says how it went, which the test reads.
let compared = 0;

function shown(value) {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}

exports.equal = (actual, expected) => {
  compared += 1;
  if (shown(actual) !== shown(expected)) {
    document.title = `failed: comparison ${compared}: got ${shown(actual)} instead of ${shown(expected)}`;
    throw new Error(document.title);
  }
};

exports.done = () => {
  document.title = `passed ${compared}`;
};
