// Runs programs and says what they cost.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a command to its end. Wall and CPU time in ms (children included), peak memory of its largest process in MiB. */
export function measure(command) {
  const folder = mkdtempSync(join(tmpdir(), 'ssbuild-time-'));
  try {
    const figures = join(folder, 'time');
    const from = process.hrtime.bigint();
    const run = spawnSync('/usr/bin/time', ['-f', '%U %S %M', '-o', figures, ...command], { encoding: 'utf8' });
    const wallMs = Number(process.hrtime.bigint() - from) / 1e6;
    if (run.error) throw new Error(`cannot run /usr/bin/time (GNU time): ${run.error.message}`);
    if (run.status !== 0) throw new Error(`${command.join(' ')} ended with ${run.status}:\n${run.stderr}`);
    const [user, system, peakKib] = readFileSync(figures, 'utf8').trim().split(/\s+/).map(Number);
    return { wallMs, cpuMs: (user + system) * 1000, peakMib: peakKib / 1024 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a command prints on stdout. */
export function output(command) {
  const run = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  if (run.error || run.status !== 0) throw new Error(`cannot run ${command.join(' ')}: ${run.error?.message ?? run.stderr}`);
  return run.stdout;
}
