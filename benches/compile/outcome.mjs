// How many bytes a build gives to a browser: every script, compressed by one and the same encoder.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** What ssbuild wrote: the app's bundle, and the runtime client in the other one, which no other tool has to write. */
export function builtBySsbuild(dist) {
  const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
  return { script: weigh([join(dist, manifest.assets['app.js'].file)]) };
}

/** What another tool wrote: every script. */
export function builtByOther(out) {
  const files = readdirSync(out, { recursive: true }).map((file) => join(out, file));
  return { script: weigh(files.filter((file) => /\.m?js$/.test(file))) };
}

function weigh(files) {
  if (files.length === 0) throw new Error('a build without files cannot be weighed');
  const sum = { raw: 0, gzip: 0, brotli: 0 };
  for (const file of files) {
    const bytes = readFileSync(file);
    sum.raw += bytes.length;
    sum.gzip += gzipSync(bytes, { level: 9 }).length;
    sum.brotli += brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
  }
  return sum;
}
