// What holds for the sources as text: ssbuild only strips their types, and pages run them under a strict policy.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import ts from "typescript";

const folder = new URL("../src/", import.meta.url);
const sources = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8")]);

const emit = (text, target) =>
  ts.transpileModule(text, {
    compilerOptions: { target, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true, useDefineForClassFields: true },
  }).outputText;

for (const [name, text] of sources) {
  test(name + " is ES2019 once its types are gone", () => {
    assert.equal(emit(text, ts.ScriptTarget.ES2019), emit(text, ts.ScriptTarget.ESNext));
  });

  test(name + " evaluates no text as code", () => {
    assert.doesNotMatch(text, /\beval\(|\bFunction\(|setTimeout\(\s*["'`]/);
  });
}

test("all but the loader and what it is extended by are modules, which import only each other", () => {
  for (const [name, text] of sources) {
    const { importedFiles } = ts.preProcessFile(text);
    const names = importedFiles.map((file) => file.fileName);
    assert.deepEqual(names.filter((from) => !sources.some(([other]) => "./" + other === from + ".ts")), [], name);
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.ES2019);
    assert.equal(ts.isExternalModule(file), !["loader.ts", "waiting.ts"].includes(name), name);
  }
});

test("the lock names no host", () => {
  const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
  assert.doesNotMatch(lock, /https?:/);
});
