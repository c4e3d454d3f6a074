import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import vm from "node:vm";
import { transpile } from "./typescript.mjs";

const path = fileURLToPath(new URL("../src/loader.ts", import.meta.url));
const source = transpile(readFileSync(path, "utf8"), path);

/** A page of its own with the loader in it. */
function page(data = {}) {
  const reported = [];
  const scripts = [];
  const window = {
    document: {
      currentScript: { src: "http://localhost/assets/app.js" },
      getElementById: (id) => (id === "ss-data" ? { textContent: JSON.stringify(data) } : null),
      createElement: () => ({ remove: () => {} }),
      head: { appendChild: (script) => scripts.push(script) },
    },
    location: { href: "http://localhost/" },
    setTimeout: (fn) => {
      try {
        fn();
      } catch (error) {
        reported.push(error);
      }
    },
  };
  window.window = window;
  vm.createContext(window);
  vm.runInContext(source, window);
  const ss = window.__ss;
  return { window, ss, reported, scripts };
}

/** Evaluates modules in order and gives the last one's exports. */
function run(modules, order, at = page()) {
  at.ss.define(modules);
  at.ss.start({}, order);
  return at;
}

const exportsOf = (at, id) => at.ss.peek(id).exports;

test("the global is not enumerable and cannot be replaced", () => {
  const { window } = page();
  assert.ok(!Object.keys(window).includes("__ss"));
  assert.equal(vm.runInContext("__ss = 1; typeof __ss", window), "object");
});

test("define only registers", () => {
  const { ss } = page();
  ss.define({ 1: [() => assert.fail("it ran"), []] });
});

test("modules run once, when they are first required, and get their exports as this", () => {
  const ran = [];
  const at = run(
    {
      1: [function (module, exports, require) { ran.push(1); exports.two = require(0); exports.self = this === exports; }, [2]],
      2: [function (module) { ran.push(2); module.exports = () => 2; }, []],
      3: [function () { ran.push(3); }, []],
    },
    [1, 2],
  );
  assert.deepEqual(ran, [1, 2]);
  assert.equal(exportsOf(at, 1).two(), 2);
  assert.equal(exportsOf(at, 1).self, true);
});

test("a CommonJS cycle sees what is there so far", () => {
  const at = run(
    {
      1: [function (module, exports, require) { exports.early = 1; exports.seen = require(0).seen; exports.late = 1; }, [2]],
      2: [function (module, exports, require) { exports.seen = Object.keys(require(0)); }, [1]],
    },
    [1],
  );
  assert.deepEqual(exportsOf(at, 1).seen, ["early"]);
});

test("ES modules in a cycle see each other's live bindings", () => {
  const at = run(
    {
      1: [function (module, exports, require) {
        require.e(exports, { even: () => even });
        const other = require.i(0);
        function even(n) { return n === 0 || other.odd(n - 1); }
      }, [2]],
      2: [function (module, exports, require) {
        require.e(exports, { odd: () => odd });
        const other = require.i(0);
        function odd(n) { return n !== 0 && other.even(n - 1); }
      }, [1]],
    },
    [1],
  );
  assert.equal(exportsOf(at, 1).even(10), true);
  assert.equal(exportsOf(at, 2).odd(10), false);
});

test("getters are live, enumerable, and mark the module", () => {
  const at = run(
    {
      1: [function (module, exports, require) {
        let n = 0;
        require.e(exports, { n: () => n, add: () => () => n++ });
      }, []],
    },
    [1],
  );
  const exports = exportsOf(at, 1);
  exports.add();
  exports.add();
  assert.equal(exports.n, 2);
  assert.deepEqual(Object.keys(exports), ["n", "add"]);
  assert.equal(exports.__esModule, true);
});

test("a CommonJS module as an ES module sees it", () => {
  class Made { go() { return "went"; } }
  const at = run(
    {
      1: [function (module, exports) { exports.a = 1; exports.default = "its own"; }, []],
      2: [function (module) { module.exports = Object.assign(() => "called", { extra: 2 }); }, []],
      3: [function (module) { module.exports = new Made(); }, []],
      4: [function (module) { module.exports = "text"; }, []],
      5: [function (module, exports) { exports.__esModule = true; exports.default = "transpiled"; }, []],
      6: [function (module) { module.exports = null; }, []],
      9: [function (module, exports, require) { for (let n = 0; n < 6; n++) exports["m" + (n + 1)] = [require.i(n), require.i(n), require(n)]; }, [1, 2, 3, 4, 5, 6]],
    },
    [9],
  );
  const { m1, m2, m3, m4, m5, m6 } = exportsOf(at, 9);
  assert.equal(m1[0], m1[1], "one namespace for each module");
  assert.equal(m1[0].default, m1[2]);
  assert.equal(m1[0].a, 1);
  assert.deepEqual(Object.keys(m1[0]).sort(), ["a", "default"]);
  m1[2].a = 2;
  m1[2].later = 3;
  assert.equal(m1[0].a, 2, "it reads through");
  assert.equal(m1[0].later, 3, "also to what came later");
  assert.equal(m2[0].default(), "called");
  assert.equal(m2[0].extra, 2);
  assert.equal(m3[0].go(), "went", "also along the prototype");
  assert.equal(m4[0].default, "text");
  assert.equal(m5[0].default, "transpiled");
  assert.equal(m5[0], m5[2]);
  assert.equal(m6[0].default, null);
});

test("a namespace taken in a cycle shows what its module became", () => {
  const at = run(
    {
      1: [function (module, exports, require) { require(0); module.exports = { late: "here" }; }, [2]],
      2: [function (module, exports, require) { exports.seen = require.i(0); }, [1]],
      3: [function (module, exports, require) { require(0); exports.__esModule = true; exports.default = "marked late"; }, [4]],
      4: [function (module, exports, require) { exports.seen = require.i(0); }, [3]],
    },
    [1, 3],
  );
  const { seen } = exportsOf(at, 2);
  assert.equal(seen.late, "here");
  assert.equal(seen.default.late, "here");
  assert.deepEqual(Object.keys(seen).sort(), ["default", "late"]);
  assert.equal(exportsOf(at, 4).seen.default, "marked late");
});

test("export * takes every name but default that is not there yet and that one module alone has, and stays live", () => {
  const at = run(
    {
      1: [function (module, exports, require) {
        require.e(exports, { own: () => "mine" });
        require.s(exports, 0);
        require.s(exports, 1);
      }, [2, 3]],
      2: [function (module, exports, require) {
        let n = 1;
        require.e(exports, { own: () => "theirs", both: () => "first", n: () => n, add: () => () => n++, default: () => "d" });
      }, []],
      3: [function (module, exports) { exports.common = 3; exports.both = "second"; }, []],
    },
    [1],
  );
  const exports = exportsOf(at, 1);
  assert.deepEqual(Object.keys(exports).sort(), ["add", "common", "n", "own"]);
  exports.add();
  assert.deepEqual([exports.own, exports.n, exports.common], ["mine", 2, 3]);
});

test("export * out of a module that is still running is completed when it ends", () => {
  const at = run(
    {
      1: [function (module, exports, require) { require(0); exports.late = "here"; }, [2]],
      2: [function (module, exports, require) { require.e(exports, {}); require.s(exports, 0); }, [1]],
    },
    [1],
  );
  assert.equal(exportsOf(at, 2).late, "here");
});

test("a throwing module is reported once and stops nobody else", () => {
  const broken = new Error("broken");
  const ran = [];
  const at = run(
    {
      1: [function (module, exports) { exports.before = 1; ran.push(1); throw broken; }, []],
      2: [function (module, exports, require) { ran.push(2); require(0); }, [1]],
      3: [function () { ran.push(3); }, []],
      4: [function (module, exports, require) { try { require(0); } catch (error) { exports.caught = error; } }, [1]],
    },
    [1, 2, 3, 4],
  );
  assert.deepEqual(at.reported, [broken]);
  assert.deepEqual(ran, [1, 2, 3], "and not evaluated again");
  assert.equal(exportsOf(at, 1).before, 1);
  assert.equal(exportsOf(at, 4).caught, broken);
});

test("two different errors are both reported", () => {
  const at = run(
    { 1: [function () { throw undefined; }, []], 2: [function () { throw new Error("two"); }, []] },
    [1, 2],
  );
  assert.equal(at.reported.length, 2);
});

test("what is not there throws when it is used, not before", () => {
  const at = run(
    {
      1: [function (module, exports, require) {
        exports.tries = [0, 1, 2].map((n) => { try { require(n); } catch (error) { return error.message + " " + error.code; } });
      }, [null, "fs", 99]],
    },
    [1],
  );
  const [absent, host, unknown] = exportsOf(at, 1).tries;
  assert.match(absent, /Cannot find.*MODULE_NOT_FOUND/);
  assert.match(host, /fs.*MODULE_NOT_FOUND/);
  assert.match(unknown, /99/);
  assert.deepEqual(at.reported, []);
});

test("import.meta tells where the bundle came from and the environment", () => {
  const at = run({ 1: [function (module, exports, require) { exports.meta = require.m; }, []] }, [1], page({ env: "staging" }));
  assert.equal(exportsOf(at, 1).meta.url, "http://localhost/assets/app.js");
  assert.equal(exportsOf(at, 1).meta.env, "staging");
});

const withChunk = { chunks: { c2: ["/assets/c2-77.js", "sha384-abc"] } };
const importing = { 1: [function (module, exports, require) { exports.load = () => require.d(0); }, [["c2", 12]]] };
const chunk = { 12: [function (module, exports) { exports.loaded = true; }, []] };

test("a dynamic import loads its chunk once, with its integrity", async () => {
  const at = run(importing, [1], page(withChunk));
  const [one, two] = [exportsOf(at, 1).load(), exportsOf(at, 1).load()];
  assert.equal(at.scripts.length, 1);
  const script = at.scripts[0];
  assert.deepEqual([script.src, script.integrity, script.crossOrigin], ["/assets/c2-77.js", "sha384-abc", undefined]);
  at.ss.define(chunk);
  script.onload();
  assert.equal((await one).loaded, true);
  assert.equal(await one, await two);
  assert.equal((await exportsOf(at, 1).load()).default.loaded, true);
  assert.equal(at.scripts.length, 1);
});

test("a chunk on another host is asked for with CORS", () => {
  const at = run(importing, [1], page({ ...withChunk, base: "https://cdn.example.com" }));
  void exportsOf(at, 1).load();
  assert.deepEqual([at.scripts[0].src, at.scripts[0].crossOrigin], ["https://cdn.example.com/assets/c2-77.js", "anonymous"]);
});

test("a chunk that could not be loaded can be asked for again", async () => {
  const at = run(importing, [1], page(withChunk));
  const failed = exportsOf(at, 1).load();
  at.scripts[0].onerror();
  await assert.rejects(failed, /c2 could not be loaded/);
  const again = exportsOf(at, 1).load();
  at.ss.define(chunk);
  at.scripts[1].onload();
  assert.equal((await again).loaded, true);
});

test("a chunk that the page does not know is a rejection", async () => {
  const at = run(importing, [1], page({ chunks: {} }));
  await assert.rejects(exportsOf(at, 1).load(), /c2 is not in this build/);
});

test("a dynamic import of what is here already needs no chunk, and its failure is a rejection", async () => {
  const at = run(
    {
      1: [function (module, exports, require) { exports.good = () => require.d(0); exports.bad = () => require.d(1); exports.absent = () => require.d(2); }, [2, 3, null]],
      2: [function (module, exports) { exports.x = 1; }, []],
      3: [function () { throw new Error("thrown while loading"); }, []],
    },
    [1],
  );
  assert.equal((await exportsOf(at, 1).good()).x, 1);
  await assert.rejects(exportsOf(at, 1).bad(), /thrown while loading/);
  await assert.rejects(exportsOf(at, 1).absent(), /Cannot find/);
});

test("who watches is told of trees and modules, early or late", () => {
  const { ss } = page();
  let told = 0;
  ss.define({ 1: [function () {}, []] });
  ss.watch(() => told++);
  assert.equal(told, 1);
  ss.start({ client: { app: 1 }, server: { "app/square": 1 } }, [1]);
  ss.define({ 2: [function () {}, []] });
  assert.equal(told, 3);
  assert.equal(ss.trees.client.app, 1);
  assert.equal(ss.trees.client.constructor, undefined);
});
