import assert from "node:assert/strict";
import { test } from "node:test";
import { createStreams } from "../src/streams.ts";
import { World } from "./world.mjs";

test("a replayed publication is given out once", () => {
  const streams = createStreams();
  streams.welcome(null, [["*", "e", 4]]);
  assert.deepEqual([4, 5, 5, 6, 3].map((offset) => streams.arrived(["*"], [offset])), [false, true, false, true, false]);
  assert.deepEqual(streams.positions(), [["*", "e", 6]]);
});

test("after a recovery the client stays where it is, so that what was missed is new", () => {
  const streams = createStreams();
  streams.welcome(null, [["*", "e", 4], ["#a", "x", 1], ["#gone", "y", 1]]);
  streams.welcome(true, [["*", "e", 9], ["#a", "other", 7], ["#b", "z", 3]]);
  assert.deepEqual(streams.positions(), [["*", "e", 4], ["#a", "other", 7], ["#b", "z", 3]]);
  assert.equal(streams.arrived(["*"], [5]), true);
});

test("without a recovery it starts where the server is", () => {
  const streams = createStreams();
  streams.welcome(null, [["*", "e", 4]]);
  streams.welcome(false, [["*", "e", 9]]);
  assert.deepEqual(streams.positions(), [["*", "e", 9]]);
});

test("what came through several streams counts in each", () => {
  const streams = createStreams();
  streams.welcome(null, [["#a", "e", 0], ["#b", "e", 7]]);
  assert.equal(streams.arrived(["#a", "#b"], [1, 8]), true);
  assert.equal(streams.arrived(["#a", "#b"], [1, 8]), false);
  assert.equal(streams.arrived(["#b"], [8]), false);
  assert.equal(streams.arrived(["#a", "#b"], [2, 8]), true, "new in one, though the other was joined past it");
  assert.deepEqual(streams.positions(), [["#a", "e", 2], ["#b", "e", 8]]);
});

test("the connection's own stream is neither kept nor compared", () => {
  const streams = createStreams();
  streams.welcome(null, [["*", "e", 0]]);
  assert.equal(streams.arrived(["!"], [0]), true);
  assert.equal(streams.arrived(["!"], [0]), true);
  assert.deepEqual(streams.positions(), [["*", "e", 0]]);
});

test("a reconnect tells the positions, gets what was missed in order, and nothing twice", () => {
  const world = new World();
  const seen = [];
  world.SS.events.on("news", (params, channel) => seen.push(channel ? params + "@" + channel : params));
  world.SS.events.on("recovered", (recovered) => seen.push(recovered));
  world.welcome();
  world.socket.say([4, "#den", "d1", 10]);
  world.socket.say([3, "*", 1, "news", "one"]);
  world.socket.say([3, "#den", 11, "news", "in the den"]);
  world.socket.break();
  world.advance(1000);
  world.welcome({ recovered: true, positions: [["*", "e1", 3], ["#den", "d1", 11]] });
  assert.deepEqual(world.socket.sent[0][4], [["*", "e1", 1], ["#den", "d1", 11]]);
  for (const [offset, text] of [[1, "one"], [2, "two"], [3, "three"], [3, "three"]]) world.socket.say([3, "*", offset, "news", text]);
  world.socket.say([3, ["*", "#den"], [4, 12], "news", "four"]);
  assert.deepEqual(seen, ["one", "in the den@den", true, "two", "three", "four@den"]);
});

test("what cannot be recovered is said", () => {
  const world = new World();
  const seen = [];
  world.SS.events.on("recovered", (recovered) => seen.push(recovered));
  world.welcome();
  world.socket.break();
  world.advance(1000);
  world.welcome({ recovered: false, positions: [["*", "e2", 0]] });
  assert.deepEqual(seen, [false]);
});
