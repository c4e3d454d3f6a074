test('all browsers share one number', async () => {
  const [one, two] = [await connect(), await connect()];
  await one.SS.server.app.add(2);
  expect(await two.next('count')).toBe(2);
  expect(await two.SS.server.app.count()).toBe(2);
});
