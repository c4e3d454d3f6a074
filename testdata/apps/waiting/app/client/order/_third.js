import { value } from './_star';
import { log } from './_log';
log.push(value === 'late' ? 'third' : 'too early');
