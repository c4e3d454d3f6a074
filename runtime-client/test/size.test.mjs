import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";
import { build, transform } from "esbuild";

const MOST_BYTES = 6144;
const file = (name) => fileURLToPath(new URL("../src/" + name, import.meta.url));

test("the whole client, minified and compressed, is small", async (t) => {
  const loader = await transform(readFileSync(file("loader.ts"), "utf8"), { loader: "ts", minify: true, target: "es2019" });
  const rest = await build({
    entryPoints: [file("index.ts")],
    bundle: true,
    minify: true,
    target: "es2019",
    format: "iife",
    write: false,
  });
  const text = loader.code + rest.outputFiles[0].text;
  const bytes = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  t.diagnostic(`${text.length} bytes minified, ${bytes} with brotli 11`);
  assert.ok(bytes > 1000, "there is nothing in the bundle");
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes are more than ${MOST_BYTES}`);
});
