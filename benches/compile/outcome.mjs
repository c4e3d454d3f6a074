// How many bytes a build gives to a browser: every script and stylesheet, compressed by one and the same encoder.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** What ssbuild wrote: the bundles that the manifest names. */
export function builtBySsbuild(dist) {
  const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
  const files = (kind) =>
    Object.values(manifest.bundles)
      .map((bundle) => bundle[kind])
      .filter(Boolean)
      .map((logical) => join(dist, manifest.assets[logical].file));
  return { script: weigh(files('script')), style: weigh(files('style')) };
}

/** What esbuild wrote: every file but the maps. */
export function builtByEsbuild(out) {
  const files = readdirSync(out, { recursive: true }).map((file) => join(out, file));
  return { script: weigh(files.filter((file) => file.endsWith('.js'))), style: weigh(files.filter((file) => file.endsWith('.css'))) };
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
