import { log } from './_log';
export * from './_quick';
log.push('star');
