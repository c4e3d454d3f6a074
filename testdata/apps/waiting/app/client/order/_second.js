import './_middle';
import { log } from './_log';
log.push('second-user');
