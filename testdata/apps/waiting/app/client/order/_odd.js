import { even } from './_even';
import { log } from './_log';
export function odd(n) {
  return n !== 0 && even(n - 1);
}
await null;
log.push('odd');
