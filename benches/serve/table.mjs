// Figures as tables for the book. `figures[case][server]` is a list, one entry a round.
const BASE = 'socket.io';

/** Servers down, cases across: what an operation costs, and how many times less than Socket.IO's. */
export function costs(title, cases, servers, figures) {
  return [
    `| ${title} | ${cases.map((one) => one.title).join(' | ')} |`,
    `| --- |${' --- |'.repeat(cases.length)}`,
    ...servers.map(({ id, name }) => `| ${name} | ${cases.map((one) => cost(figures[one.id], id)).join(' | ')} |`),
  ].join('\n');
}

function cost(figures, id) {
  const own = (figures?.[id] ?? []).map(({ cpu_us }) => cpu_us);
  if (own.length === 0) return '–';
  const base = (figures[BASE] ?? []).map(({ cpu_us }) => cpu_us);
  const rounds = Math.min(own.length, base.length);
  const times = id === BASE || rounds === 0 ? '' : `, **${number(median(own.slice(0, rounds).map((us, i) => base[i] / us)))}×**`;
  return `${spread(own)}${times}`;
}

/** How long calls take at a rate that all servers can bear. */
export function latencies(title, one, servers, figures) {
  return [
    `| ${title} | p50, ms | p99, ms | p99.9, ms | CPU, % of a core |`,
    '| --- | --- | --- | --- | --- |',
    ...servers.map(({ id, name }) => {
      const runs = figures[one.id]?.[id] ?? [];
      const at = (quantile) => spread(runs.map(({ latency_us }) => latency_us[quantile] / 1000));
      return `| ${name} | ${at('p50')} | ${at('p99')} | ${at('p999')} | ${spread(runs.map(({ cores }) => cores * 100))} |`;
    }),
  ].join('\n');
}

export function memory(title, one, servers, figures) {
  return [
    `| ${title} | bytes each | MiB without |`,
    '| --- | --- | --- |',
    ...servers.map(({ id, name }) => {
      const runs = figures[one.id]?.[id] ?? [];
      return `| ${name} | ${spread(runs.map(({ bytes_each }) => bytes_each))} | ${spread(runs.map(({ base_bytes }) => base_bytes / 2 ** 20))} |`;
    }),
  ].join('\n');
}

/** How many come to the next server in the fullest second, when theirs stops. */
export function leaving(one, engines, figures) {
  return [
    `| ${one.title}: in the fullest second | told to come | came and were greeted | all moved after, s |`,
    '| --- | --- | --- | --- |',
    ...engines.map(({ id, name }) => {
      const of = (figure, unit = 1) => spread((figures[one.id]?.[id] ?? []).map((found) => found[figure] / unit));
      return `| ${name} | ${of('planned_peak')} | ${of('arrived_peak')} | ${of('last_ms', 1000)} |`;
    }),
  ].join('\n');
}

/** What the calls of one client take while another does harm. */
export function attacks(cases, engines, figures) {
  const titles = [...new Set(cases.map(({ title }) => title))];
  const columns = engines.flatMap((engine) => [2, 1].map((workers) => ({ ...engine, workers })));
  const place = (workers) => (workers === 1 ? 'the same VM' : 'another VM');
  return [
    `| p50 / p99 of another client's calls, ms, while one runs | ${columns.map(({ id, workers }) => `${id}, ${place(workers)}`).join(' | ')} |`,
    `| --- |${' --- |'.repeat(columns.length)}`,
    ...titles.map((title) => {
      const cell = ({ id, workers }) => {
        const one = cases.find((other) => other.title === title && other.workers === workers);
        const runs = figures[one.id]?.[id] ?? [];
        const at = (quantile) => number(median(runs.map(({ latency_us }) => latency_us[quantile] / 1000)));
        return runs.length === 0 ? '–' : `${at('p50')} / ${at('p99')}`;
      };
      return `| ${title} | ${columns.map(cell).join(' | ')} |`;
    }),
  ].join('\n');
}

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median (smallest–largest). */
function spread(list) {
  if (list.length === 0) return '–';
  if (list.length === 1) return number(list[0]);
  return `${number(median(list))} (${number(Math.min(...list))}–${number(Math.max(...list))})`;
}

/** Three digits that count. */
const number = (value) => Number(value.toPrecision(value < 1 ? 2 : 3)).toLocaleString('en', { maximumFractionDigits: 2 });
