// Every way to export, and every way to name.
const math = require('/shared/math');
import_me();

exports.init = () => SS.client.topBar.show(math.square(2));
exports['a b'] = 'exports.x = 1 in a text stays as it is';

function import_me() {
  return SS.client['a.b'].value + SS.client.geo.code.find('here');
}
