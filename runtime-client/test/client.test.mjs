import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, World } from "./world.mjs";

test("init runs once, when the document is loaded and the socket is ready", () => {
  const world = new World({ loaded: false, trees: { client: { app: 1 } } });
  let count = 0;
  world.modules[1] = { exports: { init() { count++; assert.equal(this, world.modules[1].exports); } } };
  world.grow();
  assert.equal(world.sockets.length, 0);
  world.document.fire("DOMContentLoaded");
  world.window.fire("load");
  assert.equal(world.sockets.length, 1);
  assert.deepEqual([count, world.SS.started], [0, false]);
  world.welcome();
  assert.deepEqual([count, world.SS.started], [1, true]);
  world.socket.break();
  world.advance(1000);
  world.welcome();
  assert.equal(count, 1);
});

test("a late script does not wait for a document that is loaded already", () => {
  assert.equal(new World({ loaded: true }).sockets.length, 1);
});

test("without SS.client.app.init, window.app.init runs", () => {
  const world = new World({ trees: { client: { app: 1 } } });
  world.modules[1] = { exports: {} };
  world.grow();
  let count = 0;
  world.window.app = { init() { count++; } };
  world.welcome();
  assert.equal(count, 1);
});

test("without any init the client starts all the same", () => {
  const world = new World();
  world.welcome();
  assert.equal(world.SS.started, true);
});

test("an init that throws is reported as what it is", () => {
  const world = new World({ trees: { client: { app: 1 } } });
  const error = new Error("in init");
  world.modules[1] = { exports: { init() { throw error; } } };
  world.grow();
  world.welcome();
  assert.deepEqual(world.raised, [error]);
});

test("the trees show what modules export at the moment, and chunks when they are there", () => {
  const trees = { client: { app: 1, "geo/code": 2, "top-bar": 3, "late/chunk": 4 }, shared: { calculate: 5 } };
  const world = new World({ trees });
  const { SS } = world;
  world.modules[1] = { exports: {} };
  world.modules[2] = { exports: { lookup: 1 } };
  world.modules[3] = { exports: { draw: 1 } };
  world.modules[5] = { exports: {} };
  world.grow();
  const { app } = world.modules[1].exports = { replaced: true };
  assert.equal(app, undefined);
  assert.equal(SS.client.app.replaced, true);
  assert.equal(SS.client.geo.code.lookup, 1);
  assert.equal(SS.client["top-bar"].draw, 1);
  assert.equal(SS.client.topBar, SS.client["top-bar"]);
  assert.deepEqual(Object.keys(SS.client), ["app", "geo", "top-bar"]);
  assert.equal("late" in SS.client, false);
  world.modules[4] = { exports: { here: true } };
  const geo = SS.client.geo;
  world.grow();
  assert.equal(SS.client.late.chunk.here, true);
  assert.equal(SS.client.geo, geo);
});

test("an alias gives way to a real name", () => {
  for (const trees of [{ client: { "top-bar": 1, topBar: 2 } }, { client: { topBar: 2, "top-bar": 1 } }]) {
    const world = new World({ trees });
    world.modules[1] = { exports: 1 };
    world.modules[2] = { exports: 2 };
    world.grow();
    assert.deepEqual([world.SS.client["top-bar"], world.SS.client.topBar], [1, 2]);
  }
});

test("actions are found by path, with hyphens and dots, and nothing else is", () => {
  const world = new World({ trees: { server: { "app/square": 1, "user-list/get-all": 0, "a.b/c": 0, "app/admin/reset": 0 } } });
  const { server } = world.SS;
  world.welcome();
  void server["user-list"]["get-all"]();
  void server.userList.getAll();
  void server["a.b"].c();
  void server.app.admin.reset();
  assert.deepEqual(world.socket.calls.map((call) => call[2]), ["user-list/get-all", "user-list/get-all", "a.b/c", "app/admin/reset"]);
  for (const name of ["constructor", "__proto__", "toString", "then"]) {
    assert.equal(server[name], undefined);
    assert.equal(server.app[name], undefined);
  }
});

test("templates are the texts of the page's elements, complete when the document is", () => {
  const world = new World({ loaded: false });
  const elements = [{ id: "people-info", textContent: "<b>${name}</b>" }];
  world.document.querySelectorAll = (selector) => {
    assert.equal(selector, 'script[type="text/html"]');
    return elements;
  };
  assert.deepEqual({ ...world.SS.templates }, { "people-info": "<b>${name}</b>" });
  elements.push({ id: "late", textContent: "" });
  world.document.readyState = "interactive";
  assert.equal(world.SS.templates.late, "");
  assert.equal(world.SS.templates, world.SS.templates);
  assert.equal(world.SS.templates.constructor, undefined);
});

test("config and env are the page's", () => {
  const world = new World({ data: { env: "staging", config: { title: "Hi" } } });
  assert.deepEqual([world.SS.env, world.SS.config], ["staging", { title: "Hi" }]);
});

test("a page without data still has an SS", () => {
  const world = new World({ data: { build: undefined, env: undefined, config: undefined } });
  assert.deepEqual([world.SS.env, world.SS.config], ["production", {}]);
});

test("a ticket is posted, again when the network fails, and not when it is refused", async () => {
  const world = new World();
  const errors = world.errors();
  world.welcome();
  let failures = 2;
  world.fetch = async () => {
    if (failures-- > 0) throw new TypeError("network");
    return { ok: true, status: 204 };
  };
  world.socket.say([6, "abc"]);
  for (let n = 0; n < 4; n++) {
    await settled();
    world.advance(3000);
  }
  assert.equal(world.posts.length, 3);
  const [url, init] = world.posts[2];
  assert.equal(url, "http://localhost:3000/_ss/session");
  assert.deepEqual(
    [init.method, init.credentials, init.headers["Content-Type"], init.body],
    ["POST", "include", "application/json", '{"ticket":"abc"}'],
  );
  assert.deepEqual(errors, []);

  world.fetch = async () => ({ ok: false, status: 403 });
  world.socket.say([6, "def"]);
  await settled();
  await settled();
  world.advance(9000);
  assert.equal(world.posts.length, 4);
  assert.match(errors[0].message, /403/);

  world.fetch = async () => { throw new TypeError("network"); };
  world.socket.say([6, "ghi"]);
  for (let n = 0; n < 8; n++) {
    await settled();
    world.advance(9000);
    if (world.socket.onmessage) world.socket.say([9]);
  }
  assert.equal(world.posts.length, 8, "four times in all");
  assert.equal(errors.length, 2);
});

test("a newer build is told once, at whatever moment the client learns of it", () => {
  const world = new World();
  const seen = [];
  world.SS.events.on("upgrade", (about) => seen.push(about));
  world.welcome();
  world.socket.say([8, "b2"]);
  world.socket.break();
  world.advance(1000);
  world.welcome({ build: "b2" });
  world.socket.break();
  world.advance(1000);
  world.welcome({ build: "b3" });
  assert.deepEqual(seen, [{ build_id: "b2", required: false }, { build_id: "b3", required: false }]);
});

test("client ids are 128 random bits in hex, drawn once for the page", () => {
  const world = new World();
  world.socket.open();
  world.socket.break();
  world.advance(1000);
  world.socket.open();
  const ids = world.sockets.map((socket) => socket.sent[0][3]);
  assert.deepEqual(ids, Array(2).fill("000102030405060708090a0b0c0d0e0f"));
});
