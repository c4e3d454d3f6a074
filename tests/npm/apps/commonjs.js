// Packages that are CommonJS only, asked for in both ways.
import classNames from 'classnames';
import ms from 'ms';
import _, { upperFirst } from 'lodash';
import EventEmitter, { once } from 'events';
import * as msAll from 'ms';
import { equal, done } from './check';

const fp = require('lodash/fp');
const bind = require('classnames/bind');

export function init() {
  equal(classNames('a', { b: true, c: false }, ['d']), 'a b d');
  equal(bind.call ? bind.bind({ x: 'X' })('x') : '', 'X');
  equal(ms('2h'), 7200000);
  equal(msAll.default(1000), '1s');
  equal(_.chain([3, 1, 2]).sort().reverse().value(), [3, 2, 1]);
  equal(upperFirst('abc'), 'Abc');
  equal(fp.flow(fp.map((x) => x + 1), fp.filter((x) => x > 2))([1, 2]), [3]);
  const emitter = new EventEmitter();
  once(emitter, 'go').then(([n]) => {
    equal(n, 7);
    done();
  });
  emitter.emit('go', 7);
}
