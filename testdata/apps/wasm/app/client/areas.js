// A page of its own: only its policy allows WebAssembly.
import { done, equal } from './check';
import { area } from './shapes/area.wasm';
import instantiate from './shapes/area.wasm?init';
import url from './shapes/area.wasm?url';

equal(area(2, 3), 60, 'what a file exports, with what it imports');
const instance = await instantiate({ './units.js': { scale: (n) => n } });
equal(instance.exports.area(2, 3), 6, '?init');
equal(await WebAssembly.validate(await (await fetch(url)).arrayBuffer()), true, '?url');
done();
