import './_quick';
import { log } from './_log';
log.push('middle');
