import { Chart, BarController, BarElement, CategoryScale, LinearScale } from 'chart.js';
import { equal, done } from './check';

Chart.register(BarController, BarElement, CategoryScale, LinearScale);

export function init() {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 200;
  document.body.append(canvas);
  const chart = new Chart(canvas, {
    type: 'bar',
    data: { labels: ['a', 'b'], datasets: [{ data: [1, 2] }] },
    options: { animation: false, responsive: false },
  });
  equal(chart.getDatasetMeta(0).data.length, 2);
  equal(chart.scales.y.max, 2);
  done();
}
