import { log } from './_log';
log.push('slow-begins');
for await (const tick of [1, 2, 3]) await tick;
log.push('slow');
export const slow = 'slow';
