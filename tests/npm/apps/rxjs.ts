import { from, interval, Subject, combineLatest, type Observable } from 'rxjs';
import { bufferCount, map, mergeMap, scan, take, toArray } from 'rxjs/operators';
import { ajax } from 'rxjs/ajax';
import { equal, done } from './check';

export function init() {
  const sums: Observable<number> = from([1, 2, 3]).pipe(mergeMap((n) => [n, n]), scan((a, b) => a + b, 0));
  const seen: number[] = [];
  sums.subscribe((n) => seen.push(n));
  equal(seen, [1, 2, 4, 6, 9, 12]);
  const subject = new Subject<string>();
  combineLatest([subject, interval(1)]).pipe(map(([s, n]) => s + n), take(2), toArray(), bufferCount(1)).subscribe((got) => {
    equal(got, [['a0', 'a1']]);
    equal(typeof ajax.getJSON, 'function');
    done();
  });
  subject.next('a');
}
