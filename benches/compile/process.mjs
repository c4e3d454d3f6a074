// Runs programs and says what they cost.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The shell's clock counts in ms, GNU time's in hundredths of a second, which is as long as some of these programs run; but
// only the latter knows about memory. The command's own output goes where it would go without a clock.
const CLOCK = `TIMEFORMAT='%3R %3U %3S'; times=$1; shift; { time "$@" 2>&3; } 3>&2 2>"$times"`;

/** Runs a command to its end. Wall and CPU time in ms (children included), peak memory of its largest process in MiB. */
export function measure(command) {
  const folder = mkdtempSync(join(tmpdir(), 'ssbuild-time-'));
  try {
    const [times, peak] = ['times', 'peak'].map((name) => join(folder, name));
    const run = spawnSync('/usr/bin/time', ['-q', '-f', '%M', '-o', peak, 'bash', '-c', CLOCK, 'bash', times, ...command], { encoding: 'utf8' });
    if (run.error) throw new Error(`cannot run /usr/bin/time (GNU time): ${run.error.message}`);
    if (run.status !== 0) throw new Error(`${command.join(' ')} ended with ${run.status}:\n${run.stderr}`);
    const [wall, user, system] = readFileSync(times, 'utf8').trim().split(/\s+/).map(Number);
    const [peakKib] = readFileSync(peak, 'utf8').trim().split(/\s+/).map(Number);
    return { wallMs: wall * 1000, cpuMs: (user + system) * 1000, peakMib: peakKib / 1024 };
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
