// Figures as tables for the book.

/** Two programs that ran in turns: each one's figures, and the ratio pair by pair. */
export function comparison(title, ours, theirs) {
  const row = (program) =>
    `| ${program.name} | ${spread(program.runs.map((run) => run.wallMs))} | ${spread(program.runs.map((run) => run.cpuMs))} | ${spread(program.runs.map((run) => run.peakMib))} |`;
  const ratio = (figure) => spread(ours.runs.map((run, pair) => run[figure] / theirs.runs[pair][figure]), 2);
  return [
    `| ${title} | wall, ms | CPU (user + system), ms | peak memory, MiB |`,
    '| --- | --- | --- | --- |',
    row(ours),
    row(theirs),
    `| ratio, pair by pair | ${ratio('wallMs')} | ${ratio('cpuMs')} | ${ratio('peakMib')} |`,
  ].join('\n');
}

/** What each build gives to a browser. */
export function sizes(outcomes) {
  const cells = (sum) => `${sum.raw.toLocaleString('en')} | ${sum.gzip.toLocaleString('en')} | ${sum.brotli.toLocaleString('en')}`;
  return [
    '| | scripts, bytes | gzip 9 | brotli 11 | styles, bytes | gzip 9 | brotli 11 |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...outcomes.map((outcome) => `| ${outcome.name} | ${cells(outcome.script)} | ${cells(outcome.style)} |`),
  ].join('\n');
}

/** Median (smallest–largest). */
function spread(figures, digits = 0) {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return `${median.toFixed(digits)} (${sorted[0].toFixed(digits)}–${sorted.at(-1).toFixed(digits)})`;
}
