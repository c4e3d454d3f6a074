require('./foo');
exports.make = () => SS.shared.math.one;
const fine = SS.client.foo.x + SS.shared.math.one;
