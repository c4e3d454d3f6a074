// Figures as tables for the book.

/** Programs that ran in turns: the figures of each, and the ratio to esbuild's round by round. */
export function comparison(title, programs) {
  const base = programs.find(({ name }) => name === 'esbuild').runs;
  const row = ({ name, runs }) => {
    const ratio = (figure) => spread(runs.map((run, round) => run[figure] / base[round][figure]), 3);
    const figure = (key) => spread(runs.map((run) => run[key]));
    return `| ${name} | ${figure('wallMs')} | ${ratio('wallMs')} | ${figure('cpuMs')} | ${ratio('cpuMs')} | ${figure('peakMib')} | ${ratio('peakMib')} |`;
  };
  return [
    `| ${title} | wall, ms | to esbuild | CPU, ms | to esbuild | peak memory, MiB | to esbuild |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...programs.map(row),
  ].join('\n');
}

/** What each build gives to a browser. */
export function sizes(outcomes) {
  const base = outcomes.find(({ name }) => name === 'esbuild').script.brotli;
  const cells = ({ raw, gzip, brotli }) =>
    `${raw.toLocaleString('en')} | ${gzip.toLocaleString('en')} | ${brotli.toLocaleString('en')} | ${(brotli / base).toFixed(3)}`;
  return [
    '| | scripts, bytes | gzip 9 | brotli 11 | to esbuild |',
    '| --- | --- | --- | --- | --- |',
    ...outcomes.map((outcome) => `| ${outcome.name} | ${cells(outcome.script)} |`),
  ].join('\n');
}

/** Median (smallest–largest). */
function spread(figures, digits = 0) {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return `${median.toFixed(digits)} (${sorted[0].toFixed(digits)}–${sorted.at(-1).toFixed(digits)})`;
}
