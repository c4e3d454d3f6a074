import { name } from '/shared/validate';

interface Message {
  id: string;
  room: string;
  from: string;
  text: string;
}

const login = async (browser: Browser, who: string) => {
  const answer = await new Promise((resolve) => browser.SS.server.session.login(who, 'secret!', resolve));
  expect(answer).toEqual({ user: who });
};

describe('names', () => {
  test.each([
    ['Ann', ''],
    ['  ', 'Please tell us your name.'],
    ['<b>', 'A name is made of letters and digits.'],
  ])('%s', (text, problem) => {
    expect(name(text).problem).toBe(problem);
  });
});

describe('rooms', () => {
  test('reach those inside, and nobody else', async () => {
    const [ann, bob, outsider] = await Promise.all([connect(), connect(), connect()]);
    await login(ann, 'Ann');
    await login(bob, 'Bob');
    await ann.SS.server.app.init();
    await bob.SS.server.app.init();
    const join = (who: Browser) => new Promise((resolve) => who.SS.server.rooms.join('lobby', resolve));
    await join(ann);
    await join(bob);
    await new Promise((resolve) => ann.SS.server.rooms.say('lobby', 'hello', resolve));
    const message: Message = await bob.next('room:message');
    expect(message).toMatchObject({ from: 'Ann', text: 'hello' });
    expect(await ann.next('room:message')).toEqual(message);
    expect(outsider.events.map(([event]) => event)).not.toContain('room:message');
  });

  test('are remembered when the connection breaks', async () => {
    const ann = await connect({ user: 'Ann' });
    await ann.SS.server.app.init();
    ann.drop();
    await until(() => ann.SS.socket.state !== 'open');
    await clock.advance(20_000);
    await until(() => ann.SS.socket.state === 'open');
    expect(await ann.SS.server.app.square(3)).toBe(9);
  });

  test('want a user', async () => {
    await expect(SS.server.rooms.join('lobby')).rejects.toThrow('not_authenticated');
  });
});
