import { z } from 'zod';
import { equal, done } from './check';

const User = z.object({ name: z.string().min(2), age: z.coerce.number().int().optional(), mail: z.email() }).strict();
type User = z.infer<typeof User>;

export function init() {
  const user: User = User.parse({ name: 'ada', age: '36', mail: 'a@b.de' });
  equal(user, { name: 'ada', age: 36, mail: 'a@b.de' });
  const bad = User.safeParse({ name: 'a', mail: 'no', more: 1 });
  equal(bad.success, false);
  equal(bad.error!.issues.map((issue) => issue.code).sort(), ['invalid_format', 'too_small', 'unrecognized_keys']);
  equal(z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b'), n: z.bigint() })]).parse({ k: 'b', n: 3n }).k, 'b');
  done();
}
