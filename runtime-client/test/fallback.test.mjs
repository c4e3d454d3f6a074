import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.mjs";

/** A world whose browser can do without websockets; which way each attempt went. */
function world() {
  const world = new World({ loaded: false });
  const ways = [];
  const openSocket = world.env.openSocket;
  world.env.openSocket = (...args) => (ways.push("socket"), openSocket(...args));
  world.env.openFallback = (url) => (ways.push("fallback"), openSocket(url, "fallback"));
  world.document.fire("DOMContentLoaded");
  return { world, ways };
}

test("where no websocket comes through, the next attempt does without", () => {
  const { world: page, ways } = world();
  page.socket.break();
  page.advance(1000);
  assert.deepEqual(ways, ["socket", "fallback"]);
  page.welcome();
  assert.equal(page.SS.socket.state, "open");
  page.socket.break();
  page.advance(1000);
  assert.deepEqual(ways, ["socket", "fallback", "fallback"], "what worked is tried again");
});

test("while nothing works, both ways take turns", () => {
  const { world: page, ways } = world();
  for (let n = 0; n < 3; n++) {
    page.socket.break();
    page.advance(3000);
  }
  assert.deepEqual(ways, ["socket", "fallback", "socket", "fallback"]);
});

test("a page whose websocket was greeted once stays with websockets", () => {
  const { world: page, ways } = world();
  page.welcome();
  for (let n = 0; n < 3; n++) {
    page.socket.break();
    page.advance(20000);
  }
  assert.deepEqual(new Set(ways), new Set(["socket"]));
});

test("a websocket that opens and says nothing counts as one that does not come through", () => {
  const { world: page, ways } = world();
  page.socket.open();
  page.advance(12000);
  assert.deepEqual(ways.slice(0, 2), ["socket", "fallback"]);
});
