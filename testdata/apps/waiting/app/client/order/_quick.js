import { log } from './_log';
log.push('quick-begins');
await new Promise((resolve) => setTimeout(resolve, 5));
log.push('quick');
export const value = 'late';
