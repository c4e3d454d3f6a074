import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.mjs";

test("a call", async () => {
  const world = new World();
  const answer = world.SS.server.app.square(25);
  world.welcome();
  assert.deepEqual(world.socket.sent, [[0, 1, "b1", "000102030405060708090a0b0c0d0e0f", null], [1, 1, "app/square", [25]]]);
  world.socket.say([1, 1, 625]);
  assert.equal(await answer, 625);
});
