import { chunk, debounce, groupBy, template } from 'lodash-es';
import merge from 'lodash-es/merge';
import * as all from 'lodash-es/lodash.js';
import { equal, done } from './check';

export function init() {
  equal(chunk([1, 2, 3], 2), [[1, 2], [3]]);
  equal(groupBy([1.2, 1.4, 2.1], Math.floor), { 1: [1.2, 1.4], 2: [2.1] });
  equal(merge({ a: { b: 1 } }, { a: { c: 2 } }), { a: { b: 1, c: 2 } });
  equal(all.capitalize('word'), 'Word');
  equal(template('<%= a %>!')({ a: 1 }), '1!');
  debounce(done, 5)();
}
