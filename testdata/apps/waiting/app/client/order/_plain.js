import { log } from './_log';
log.push('plain');
