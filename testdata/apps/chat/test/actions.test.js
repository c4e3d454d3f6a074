describe('actions', () => {
  test('answer through a callback or a promise', async () => {
    expect(await SS.server.app.square(25)).toBe(625);
    const answer = await new Promise((resolve) => SS.server.app.square(4, resolve));
    expect(answer).toBe(16);
  });

  test('know the environment', async () => {
    const { env, at } = await SS.server.app.ping();
    expect(env).toBe('development');
    expect(at).toBeGreaterThan(0);
  });

  test('that throw reject with a code', async () => {
    await expect(SS.server.lab.throws()).rejects.toMatchObject({ code: 'action_error', message: 'thrown on purpose' });
    await expect(SS.server.lab.recurses()).rejects.toThrow('stack_limit');
  });

  test('that are guarded want a user', async () => {
    await expect(SS.server.rooms.list()).rejects.toThrow('not_authenticated');
  });
});
