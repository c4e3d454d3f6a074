import { odd } from './_odd';
import { log } from './_log';
export function even(n) {
  return n === 0 || odd(n - 1);
}
await null;
log.push('even');
