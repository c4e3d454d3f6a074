// node rolldown.mjs ENTRY OUT MINIFY MAPS
import { rolldown } from 'rolldown';

const [entry, out, minify, maps] = process.argv.slice(2);
const bundle = await rolldown({
  input: entry,
  external: (name) => !name.startsWith('.') && !name.startsWith('/'),
  // Types that are exported again cannot be told from values, file by file.
  shimMissingExports: true,
  logLevel: 'silent',
});
await bundle.write({ dir: out, format: 'esm', minify: minify === 'true', sourcemap: maps === 'true' });
