import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.mjs";

/** A world that tells every event of `SS.socket`. */
function told(options) {
  const world = new World(options);
  world.seen = [];
  for (const name of ["connecting", "connect", "disconnect", "reconnecting", "reconnect"]) {
    world.SS.socket.on(name, () => world.seen.push(name));
  }
  return world;
}

test("it connects to the page's own host with the sub-protocol", () => {
  const world = new World();
  assert.deepEqual([world.socket.url, world.socket.protocol], ["ws://localhost:3000/_ss/socket", "ss.1"]);
});

test("the socket can be elsewhere, and the session goes there too", async () => {
  for (const [socket, url, session] of [
    ["wss://rt.example.com/_ss/socket", "wss://rt.example.com/_ss/socket", "https://rt.example.com/_ss/session"],
    ["https://rt.example.com", "wss://rt.example.com/_ss/socket", "https://rt.example.com/_ss/session"],
    ["ws://localhost:4000/_ss/socket", "ws://localhost:4000/_ss/socket", "http://localhost:4000/_ss/session"],
  ]) {
    const world = new World({ data: { socket } });
    assert.equal(world.socket.url, url);
    world.welcome();
    world.socket.say([6, "t"]);
    assert.equal(world.posts[0][0], session);
  }
});

test("states and events of a life", () => {
  const world = told({ loaded: false });
  const states = [world.SS.socket.state];
  world.document.fire("DOMContentLoaded");
  states.push(world.SS.socket.state);
  world.socket.open();
  states.push(world.SS.socket.state);
  world.socket.say([0, 1, "b1", null, [], {}]);
  states.push(world.SS.socket.state);
  world.socket.break();
  states.push(world.SS.socket.state);
  world.advance(500);
  world.welcome({ recovered: true });
  assert.deepEqual(states, ["closed", "connecting", "connecting", "open", "closed"]);
  assert.deepEqual(world.seen, ["connecting", "connect", "disconnect", "reconnecting", "connect", "reconnect"]);
});

test("nothing is sent before the server's welcome but the hello", () => {
  const world = new World();
  void world.SS.server.app.list();
  world.socket.open();
  assert.equal(world.socket.sent.length, 1);
});

test("waits grow exponentially with full jitter, to a bound", () => {
  const waits = [];
  for (const chance of [0, 0.25, 0.999999]) {
    const world = new World({ random: () => chance });
    for (let attempt = 0; attempt < 8; attempt++) {
      const before = world.time;
      const count = world.sockets.length;
      world.socket.break();
      while (world.sockets.length === count) world.advance(1);
      waits.push(world.time - before);
    }
  }
  assert.deepEqual(waits.slice(0, 8).map((ms) => ms <= 1), Array(8).fill(true), "no chance, no wait");
  assert.deepEqual(waits.slice(8, 16), [125, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  assert.deepEqual(waits.slice(16), [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
});

test("the waits of many clients are spread evenly", () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const tenths = Array(10).fill(0);
  for (let n = 0; n < 2000; n++) {
    const world = new World({ random });
    world.welcome();
    world.socket.break();
    const [timer] = [...world.timers.values()];
    assert.equal(world.timers.size, 1);
    tenths[Math.floor(timer.at / 50)]++;
  }
  // 2000 in ten parts: 200 each, standard deviation 13.4.
  for (const count of tenths) assert.ok(Math.abs(count - 200) < 60, tenths.join(" "));
});

test("a connection that lasted counts as success, one that did not does not", () => {
  const world = new World({ random: () => 0.999999 });
  for (const wait of [500, 1000, 2000]) {
    world.welcome();
    world.socket.break();
    const count = world.sockets.length;
    world.advance(wait - 1);
    assert.equal(world.sockets.length, count);
    world.advance(1);
    assert.equal(world.sockets.length, count + 1);
  }
  world.welcome();
  world.advance(10000);
  world.socket.break();
  const count = world.sockets.length;
  world.advance(500);
  assert.equal(world.sockets.length, count + 1);
});

for (const [name, fire] of [
  ["the tab becomes visible", (world) => world.document.fire("visibilitychange")],
  ["the network returns", (world) => world.window.fire("online")],
]) {
  test("when " + name + " it reconnects at once", () => {
    const world = new World({ random: () => 0.999999 });
    for (let n = 0; n < 6; n++) {
      world.socket.break();
      world.advance(20000);
    }
    world.socket.break();
    const count = world.sockets.length;
    fire(world);
    assert.equal(world.sockets.length, count + 1);
    fire(world);
    assert.equal(world.sockets.length, count + 1, "one socket, however often");
    world.advance(9000);
    assert.equal(world.sockets.length, count + 1, "and no second attempt of the old timer");
  });

  test("when " + name + " an open socket has to show that it lives", () => {
    const world = new World({ random: () => 0 });
    world.welcome();
    fire(world);
    assert.deepEqual(world.socket.sent.pop(), [2]);
    world.advance(7999);
    assert.equal(world.sockets.length, 1);
    world.advance(1);
    assert.equal(world.sockets.length, 2);
  });
}

test("a tab that becomes hidden does nothing", () => {
  const world = new World({ random: () => 0.999999 });
  world.socket.break();
  world.document.visibilityState = "hidden";
  world.document.fire("visibilitychange");
  assert.equal(world.sockets.length, 1);
});

test("it pings in the server's rhythm, and a silent server is given up", () => {
  const world = told({ random: () => 0 });
  world.welcome({ options: { heartbeat_ms: 1000 } });
  const first = world.socket;
  for (let n = 0; n < 3; n++) {
    world.advance(1000);
    first.say([9]);
  }
  assert.deepEqual(first.sent.slice(1), [[2], [2], [2]]);
  world.advance(8999);
  assert.equal(world.SS.socket.state, "open");
  world.advance(1);
  assert.equal(first.closeCode, 1000);
  assert.deepEqual(world.seen, ["connect", "disconnect", "reconnecting"]);
  first.say([3, "*", 1, "late"]);
  first.break();
  assert.equal(world.sockets.length, 2, "the old socket is not listened to any more");
});

test("any message shows life", () => {
  const world = new World();
  world.welcome({ options: { heartbeat_ms: 1000 } });
  for (let n = 1; n < 40; n++) {
    world.advance(1000);
    world.socket.say([3, "*", n, "news"]);
  }
  assert.equal(world.sockets.length, 1);
});

test("a server that does not greet is given up", () => {
  const world = new World({ random: () => 0 });
  world.socket.open();
  world.advance(9999);
  assert.equal(world.sockets.length, 1);
  world.advance(1);
  assert.equal(world.sockets.length, 2);
  assert.equal(world.sockets[0].closeCode, 1000);
});

test("a socket that cannot be made is tried again", () => {
  const world = new World();
  world.socket.break();
  const open = world.env.openSocket;
  let refused = 0;
  world.env.openSocket = () => {
    refused++;
    throw new Error("SecurityError");
  };
  world.advance(3000);
  assert.ok(refused > 1);
  world.env.openSocket = open;
  world.advance(20000);
  world.welcome();
  assert.equal(world.SS.socket.state, "open");
});

for (const [code, back] of [
  [1000, true], [1001, true], [1006, true], [1012, true], [4003, true], [4004, true], [4005, true], [4006, true],
  [4000, false], [4001, false], [4002, false],
]) {
  test(`close code ${code}: ${back ? "it comes back" : "it stays away"}`, () => {
    const world = new World();
    const told = [];
    world.SS.socket.on("disconnect", (about) => told.push(about));
    world.welcome();
    world.socket.break(code, "why");
    assert.deepEqual(told, [{ code, reason: "why", final: !back }]);
    world.advance(60000);
    world.document.fire("visibilitychange");
    world.window.fire("online");
    assert.equal(world.sockets.length > 1, back);
    assert.equal(world.console.length, back ? 0 : 1);
  });
}

test("a version that is not spoken asks for a new page", () => {
  const world = new World();
  const seen = [];
  world.SS.events.on("upgrade", (about) => seen.push(about));
  world.socket.open();
  world.socket.break(4001);
  assert.deepEqual(seen, [{ build_id: "b1", required: true }]);
});

test("who sent too much comes back later, whatever happens", () => {
  const world = new World({ random: () => 0 });
  world.welcome();
  world.socket.break(4004);
  world.window.fire("online");
  world.advance(4999);
  assert.equal(world.sockets.length, 1);
  world.advance(1);
  assert.equal(world.sockets.length, 2);
});

test("reconnect: no new calls on the old line, answers still come, back at the time", async () => {
  const world = new World();
  world.welcome();
  const flying = world.SS.server.app.square(1);
  world.socket.say([7, 3000]);
  const later = world.SS.server.app.square(2);
  world.advance(2000);
  world.socket.say([1, 1, "still"]);
  assert.equal(await flying, "still");
  assert.equal(world.socket.calls.length, 1);
  world.window.fire("online");
  world.advance(999);
  assert.equal(world.sockets.length, 1);
  world.advance(1);
  assert.equal(world.sockets.length, 2);
  assert.equal(world.sockets[0].closeCode, 1000);
  world.welcome({ recovered: true });
  assert.deepEqual(world.socket.calls, [[1, 2, "app/square", [2]]]);
  world.socket.say([1, 2, "done"]);
  assert.equal(await later, "done");
});

test("reconnect: a page whose turn has come waits for the answers of calls that run", async () => {
  const world = new World();
  world.welcome();
  const slow = world.SS.server.app.square(1);
  world.socket.say([7, 3000]);
  world.advance(8000);
  assert.equal(world.sockets.length, 1);
  assert.equal(world.socket.closeCode, null);
  world.socket.say([1, 1, "late"]);
  assert.equal(await slow, "late");
  world.advance(50);
  assert.equal(world.sockets[0].closeCode, 1000);
  assert.equal(world.sockets.length, 2);
});

test("reconnect: a server that goes earlier is not asked earlier", () => {
  const world = new World({ random: () => 0 });
  world.welcome();
  world.socket.say([7, 3000]);
  world.advance(1000);
  world.socket.break(1012);
  world.window.fire("online");
  world.window.fire("pagehide");
  world.window.fire("pageshow");
  world.advance(1999);
  assert.equal(world.sockets.length, 1);
  world.advance(1);
  assert.equal(world.sockets.length, 2);
});

test("a page in the back/forward cache has no socket, and one at once when it is shown", () => {
  const world = new World();
  world.window.fire("pageshow");
  world.welcome();
  void world.SS.server.app.list();
  world.window.fire("pagehide");
  assert.equal(world.socket.closeCode, 1000);
  world.advance(600000);
  world.window.fire("online");
  assert.equal(world.sockets.length, 1);
  void world.SS.server.app.square(1);
  world.window.fire("pageshow");
  assert.equal(world.sockets.length, 2);
  world.welcome({ recovered: true });
  assert.deepEqual(world.socket.calls, [[1, 2, "app/square", [1]]], "the first had timed out");
});

test("a page that is seen is not hidden, whatever it was told before", () => {
  const world = new World();
  world.welcome();
  world.window.fire("pagehide");
  world.document.fire("visibilitychange");
  world.window.fire("pageshow");
  assert.equal(world.sockets.length, 2);
});

test("disconnect stays away, connect comes back and the queue with it", () => {
  const world = told();
  world.welcome();
  world.SS.socket.disconnect();
  void world.SS.server.app.list();
  world.advance(20000);
  world.window.fire("online");
  assert.equal(world.sockets.length, 1);
  world.SS.socket.connect();
  world.SS.socket.connect();
  assert.equal(world.sockets.length, 2);
  world.welcome();
  assert.equal(world.socket.calls.length, 1);
  assert.deepEqual(world.seen, ["connect", "disconnect", "reconnecting", "connect", "reconnect"]);
});

test("a handler of disconnect may connect or disconnect", () => {
  for (const [method, sockets] of [["connect", 2], ["disconnect", 1]]) {
    const world = new World();
    world.welcome();
    world.SS.socket.once("disconnect", () => world.SS.socket[method]());
    world.socket.break();
    world.advance(9000);
    assert.equal(world.sockets.length, sockets);
  }
});
