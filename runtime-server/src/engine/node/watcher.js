// A thread of the worker process that sees the app's thread from outside. When that one stands still for too long,
// it says which messages were begun, and ends the process.
"use strict";
const { writeSync } = require("node:fs");
const { workerData } = require("node:worker_threads");
const { shared, period_ms, patience_ms } = workerData;
const [STARTED, TURNS, ON, NEVER, DUE] = [0, 1, 2, 3, 4];
const marks = new Int32Array(shared, 0, 6);
const blamed = new Float64Array(shared, 24, 1);

/** Writes between whatever the other thread has written of a line and the rest that it will never write. */
function report(text) {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(0, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") return;
      Atomics.wait(marks, NEVER, 0, 1);
    }
  }
}

Atomics.wait(marks, ON, 0);
let started = -1;
let turns = -1;
// Counted in wakings and not by the clock: a machine that was asleep, or that gave this process no time, is not the app's fault.
let silent_ms = 0;
for (;;) {
  Atomics.wait(marks, NEVER, 0, period_ms);
  Atomics.store(marks, DUE, 1);
  const [startedNow, turnsNow] = [Atomics.load(marks, STARTED), Atomics.load(marks, TURNS)];
  if (startedNow !== started || turnsNow !== turns) {
    [started, turns, silent_ms] = [startedNow, turnsNow, 0];
    continue;
  }
  silent_ms += period_ms;
  if (silent_ms < patience_ms) continue;
  // From here on no further message is begun, so what is said about them stays true.
  const last = Atomics.exchange(marks, STARTED, -1);
  if (last !== started) {
    Atomics.store(marks, STARTED, last);
    Atomics.notify(marks, STARTED);
    continue;
  }
  report(`\n["stuck",${last},${blamed[0]}]\n`);
  process.kill(process.pid, "SIGKILL");
}
