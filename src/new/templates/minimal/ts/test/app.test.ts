test('the server greets', async () => {
  expect(await SS.server.app.greet('here')).toContain('here');
});
