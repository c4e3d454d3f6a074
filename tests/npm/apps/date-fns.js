import { addDays, differenceInCalendarDays, format, parseISO } from 'date-fns';
import { de } from 'date-fns/locale';
import { equal, done } from './check';

export function init() {
  const day = parseISO('2026-03-01T10:20:30');
  equal(format(addDays(day, 1), 'yyyy-MM-dd HH:mm'), '2026-03-02 10:20');
  equal(format(day, 'EEEE', { locale: de }), 'Sonntag');
  equal(differenceInCalendarDays(addDays(day, 40), day), 40);
  done();
}
