import { name } from '/shared/rules';

test('a name has to be said', () => {
  expect(name('  ')).toBe('Please tell us your name.');
  expect(name('Ann')).toBeUndefined();
});

describe('the room', () => {
  test('is closed to those who have not come in', async () => {
    await expect(SS.server.room.enter()).rejects.toThrow('not_authenticated');
  });

  test('brings what one says to everybody', async () => {
    const [ann, bob] = [await connect(), await connect({ user: 'Bob' })];
    expect(await ann.SS.server.door.enter('Ann')).toEqual({ name: 'Ann' });
    await ann.SS.server.room.say('hello');
    expect(await bob.next('message')).toEqual({ from: 'Ann', text: 'hello' });
    const { people, history } = await bob.SS.server.room.enter();
    expect(people).toEqual(['Ann', 'Bob']);
    expect(history).toHaveLength(1);
  });
});
