import assert from "node:assert/strict";
import { test } from "node:test";
import { createEmitter } from "../src/events.ts";

const raised = [];
const fresh = () => {
  raised.length = 0;
  return createEmitter((error) => raised.push(error));
};

test("handlers are called in order with params and channel", () => {
  const events = fresh();
  const seen = [];
  events.on("a", (...args) => seen.push([1, ...args]));
  events.on("a", (...args) => seen.push([2, ...args]));
  assert.equal(events.emit("a", { x: 1 }, "room"), true);
  assert.deepEqual(seen, [[1, { x: 1 }, "room"], [2, { x: 1 }, "room"]]);
  assert.equal(events.emit("b"), false);
});

test("once is once, even when it emits itself", () => {
  const events = fresh();
  let count = 0;
  events.once("a", () => { count++; events.emit("a"); });
  events.emit("a");
  events.emit("a");
  assert.equal(count, 1);
});

test("off removes one handler, or all of a name", () => {
  const events = fresh();
  const seen = [];
  const one = () => seen.push(1);
  const two = () => seen.push(2);
  events.on("a", one);
  events.once("a", two);
  events.on("a", one);
  events.off("a", one);
  events.emit("a");
  assert.deepEqual(seen, [2]);
  events.on("a", one);
  events.off("a");
  events.off("never");
  assert.equal(events.emit("a"), false);
});

test("handlers may add and remove handlers while they are called", () => {
  const events = fresh();
  const seen = [];
  const last = () => seen.push("last");
  events.on("a", () => { seen.push("first"); events.off("a", last); events.on("a", () => seen.push("new")); });
  events.on("a", last);
  events.emit("a");
  assert.deepEqual(seen, ["first"]);
});

test("a handler that throws does not stop the others", () => {
  const events = fresh();
  const seen = [];
  const error = new Error("x");
  events.on("a", () => { throw error; });
  events.on("a", () => seen.push(1));
  events.emit("a");
  assert.deepEqual(seen, [1]);
  assert.deepEqual(raised, [error]);
});

test("any text is a name", () => {
  const events = fresh();
  for (const name of ["__proto__", "constructor", "toString", ""]) {
    assert.equal(events.emit(name), false);
    let called = 0;
    events.on(name, () => called++);
    assert.equal(events.emit(name), true);
    assert.equal(called, 1);
  }
});

test("what is no function is refused where it is given", () => {
  assert.throws(() => fresh().on("a", undefined), TypeError);
});
