// Random schedules of calls, publications and trouble against a model of the server: what the client promises holds in
// all of them. SS_MODEL_RUNS and SS_MODEL_SEED choose how many and which.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ModelServer } from "./model-server.mjs";
import { settled, World } from "./world.mjs";

const RUNS = Number(process.env.SS_MODEL_RUNS || (process.env.SSBUILD_SOAK ? 5000 : 300));
const SEED = Number(process.env.SS_MODEL_SEED || 20110714);

const STEPS = {
  call: (run) => run.call({}),
  "call, volatile": (run) => run.call({ volatile: true }),
  "call, short of time": (run) => run.call({ timeout_ms: 700 }),
  "a large call": (run) => run.call({}, "ü".repeat(9000)),
  "many calls": (run) => { for (let n = 0; n < 40; n++) run.call({}); },
  publish: ({ server }) => server.publish(["*"]),
  "publish to the room": ({ server }) => server.publish(["#room"]),
  "publish through both": ({ server }) => server.publish(["*", "#room"]),
  "publish more than is kept": ({ server }) => { for (let n = 0; n < 30; n++) server.publish(["*"]); },
  break: ({ server }) => server.breakLines(),
  "too slow": ({ server }) => server.breakLines(4003),
  "too many": ({ server }) => server.breakLines(4004),
  restart: ({ server }) => server.restart(),
  "go away": ({ server }) => server.greeted.forEach((line) => line.say([7, 1500])),
  down: ({ server }) => { server.up = false; server.breakLines(); },
  up: ({ server }) => { server.up = true; },
  silence: ({ server }) => { server.silent = true; },
  sound: ({ server }) => { server.silent = false; },
  visible: ({ world }) => world.document.fire("visibilitychange"),
  online: ({ world }) => world.window.fire("online"),
  hide: ({ world }) => world.window.fire("pagehide"),
  show: ({ world }) => world.window.fire("pageshow"),
  disconnect: ({ world }) => world.SS.socket.disconnect(),
  connect: ({ world }) => world.SS.socket.connect(),
  "a moment": ({ world }) => world.advance(50),
  "a second": ({ world }) => world.advance(1000),
  // A closed laptop: the clock goes on, and no timer does.
  "an hour asleep": ({ world }) => { world.time += 3600000; },
  "half a minute": ({ world }) => world.advance(30000),
};

const schedule = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("call", "publish", "publish through both", "a moment", "a second") },
    { weight: 2, arbitrary: fc.constantFrom(...Object.keys(STEPS)) },
  ),
  { minLength: 5, maxLength: 80 },
);

async function play(steps, seed) {
  const random = generator(seed);
  const world = new World({ loaded: false, random });
  const run = { world, server: new ModelServer(world, random), calls: [], call };
  const seen = [];
  world.SS.events.on("n", (n) => seen.push(n));
  world.SS.events.on("recovered", (recovered) => seen.push(recovered ? "recovered" : "lost"));
  const errors = world.errors();

  function call(options, more) {
    const number = run.calls.length + 1;
    const entry = { options, ends: [] };
    run.calls.push(entry);
    world.SS.with(options, world.SS.server.app.square)(...[number, more].slice(0, more ? 2 : 1)).then(
      (value) => entry.ends.push(value === number * number ? "right" : "wrong"),
      (error) => entry.ends.push(error.code),
    );
  }

  world.document.fire("DOMContentLoaded");
  for (const step of steps) {
    STEPS[step](run);
    await null;
  }

  // The trouble ends, and everything has to come right by itself.
  for (const step of ["up", "sound", "show", "connect"]) STEPS[step](run);
  world.advance(60000);
  STEPS.publish(run);
  world.advance(1000);
  await settled();

  assert.equal(world.SS.socket.state, "open");
  assert.deepEqual(world.raised, []);
  assert.deepEqual(errors, [], "every call was listened to");
  for (const { options, ends } of run.calls) {
    assert.equal(ends.length, 1, "a call ends once: " + ends);
    const may = ["right", "timeout", "outcome_unknown", options.volatile ? "offline" : "right"];
    assert.ok(may.includes(ends[0]), "a call ended as " + ends[0]);
  }

  let last = 0;
  let excused = true;
  for (const one of seen) {
    if (one === "lost") excused = true;
    if (typeof one !== "number") continue;
    assert.ok(one > last, `event ${one} after ${last}`);
    assert.ok(excused || one === last + 1, `event ${last + 1} was lost without a word`);
    [last, excused] = [one, false];
  }
  assert.equal(last, run.server.published, "the newest event arrived");
  return run;
}

/** Numbers that depend on the seed alone. */
function generator(seed) {
  let state = (Math.abs(seed) % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

test(`${RUNS} schedules of trouble, from seed ${SEED}`, async () => {
  await fc.assert(fc.asyncProperty(schedule, fc.integer(), (steps, seed) => play(steps, seed).then(() => {})), { numRuns: RUNS, seed: SEED, includeErrorInReport: true });
});

test("the model sees what it should: without trouble every call is right and no event is lost", async () => {
  const { server } = await play(["call", "publish", "a second", "call", "publish to the room", "many calls"], 1);
  assert.ok(server.frames.includes(40), "calls of one task leave in one frame: " + server.frames);
  assert.ok(Math.max(...server.sent) > 1, "the server joined messages: " + server.sent);
});
