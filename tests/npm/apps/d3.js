import * as d3 from 'd3';
import { scaleLinear } from 'd3-scale';
import { equal, done } from './check';

export function init() {
  const x = scaleLinear().domain([0, 10]).range([0, 100]);
  equal(d3.select('body').append('svg').selectAll('rect').data([1, 2, 3]).join('rect').attr('width', x).nodes().map((n) => n.getAttribute('width')), ['10', '20', '30']);
  equal(d3.line()([[0, 0], [1, 2]]), 'M0,0L1,2');
  equal(d3.group(['a', 'b', 'a'], (d) => d).get('a').length, 2);
  equal(d3.format('.2f')(1.005), '1.00');
  const tree = d3.hierarchy({ v: 1, children: [{ v: 2 }, { v: 3 }] }).sum((d) => d.v);
  equal(tree.value, 6);
  d3.select('rect').transition().duration(10).attr('width', 7).on('end', () => {
    equal(document.querySelector('rect').getAttribute('width'), '7');
    done();
  });
}
