import assert from "node:assert/strict";
import { test } from "node:test";
import { openFallback } from "../src/fallback.ts";
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

test("an event holds several messages, and a request as many as were sent together", async (t) => {
  const posts = [];
  const encoder = new TextEncoder();
  let events;
  const stream = new ReadableStream({ start: (controller) => (events = controller) });
  t.mock.method(globalThis, "fetch", async (url, { body }) => {
    if (url.endsWith("events")) return new Response(stream);
    posts.push(JSON.parse(body));
    return new Response(null, { status: 204 });
  });
  const heard = [];
  const socket = openFallback("ws://localhost:3000/_ss/socket");
  const closed = new Promise((resolve) => (socket.onclose = resolve));
  socket.onopen = () => socket.send("[2]\n[2]");
  socket.onmessage = ({ data }) => heard.push(data);
  // Padding first, and an event that comes in pieces.
  const text = ':   \n\nevent: open\ndata: abc\n\nevent: message\ndata: [9]\n\nevent: message\ndata: [1,1,"data: x"]\ndata: [9]\ndata: [1,2]\n\n';
  for (const piece of [text.slice(0, 60), text.slice(60), 'event: close\ndata: [1012,"later"]\n\n']) events.enqueue(encoder.encode(piece));
  const { code, reason } = await closed;
  assert.deepEqual([code, reason], [1012, "later"]);
  assert.deepEqual(heard, ["[9]", '[1,1,"data: x"]', "[9]", "[1,2]"]);
  assert.deepEqual(posts, [{ token: "abc", messages: ["[2]\n[2]"] }]);
});
