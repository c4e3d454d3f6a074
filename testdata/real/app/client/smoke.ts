// One small use of each package; each gives plain data that a test can compare.
import { Matrix4 } from '../../vendor/three/src/math/Matrix4.js';
import { Vector3 } from '../../vendor/three/src/math/Vector3.js';
import { BoxGeometry } from '../../vendor/three/src/geometries/BoxGeometry.js';
import { from, lastValueFrom } from '../../vendor/rxjs/src/index';
import { concatMap, delay, filter, map, reduce } from '../../vendor/rxjs/src/operators/index';
import { of } from '../../vendor/rxjs/src/index';

declare const jQuery: any;
declare const d3: any;

const rounded = (values: number[]): number[] => values.map((value) => Math.round(value * 1e6) / 1e6 + 0);

export const checks: Record<string, () => unknown> = {
  matrix() {
    const turn = new Matrix4().makeRotationZ(Math.PI / 2);
    const there = new Vector3(1, 2, 3).applyMatrix4(turn);
    const back = there.clone().applyMatrix4(turn.clone().invert());
    return [rounded(there.toArray()), rounded(back.toArray()), Math.round(turn.determinant())];
  },

  geometry() {
    const box = new BoxGeometry(2, 4, 6);
    box.computeBoundingSphere();
    return [box.getAttribute('position').count, rounded([box.boundingSphere.radius])];
  },

  pipeline() {
    return lastValueFrom(
      from([1, 2, 3, 4, 5]).pipe(
        filter((n) => n % 2 === 1),
        concatMap((n) => of(n * n).pipe(delay(0))),
        reduce((sum, n) => sum + n, 0),
        map((sum) => `sum ${sum}`),
      ),
    );
  },

  jquery() {
    jQuery('#list').append('<li>one</li><li class="two">two</li>');
    return [jQuery.fn.jquery, jQuery('#list li').length, jQuery('.two').text()];
  },

  d3() {
    const scale = d3.scaleLinear().domain([0, 10]).range([0, 200]);
    d3.select('#chart').selectAll('rect').data([2, 5]).enter().append('rect').attr('width', scale).attr('height', 9);
    return [d3.version, [...document.querySelectorAll('#chart rect')].map((rect) => rect.getAttribute('width'))];
  },

  bootstrap() {
    const button = getComputedStyle(document.getElementById('button')!);
    const box = getComputedStyle(document.getElementById('box')!);
    return [button.backgroundColor, button.display, box.position, box.outlineStyle];
  },

  server() {
    return globalThis.SS.server.app.square(25);
  },
};
