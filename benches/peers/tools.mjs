// How each of the other tools is asked for the same bundle. All of them get one entry, keep every module, leave names that are not
// in the tree to the host, and write code and, where asked, a map beside it.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSIONS, program } from './packages.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const PLATFORM = `${process.platform}-${process.arch}`;

/** Name, version and command; `command` is nothing when the tool has no program for this machine. `slow` ones run less often. */
export function tools() {
  const esbuild = program(`@esbuild/${PLATFORM}/bin/esbuild`);
  const bun = program(`@oven/bun-${PLATFORM}/bin/bun`);
  return [
    {
      name: 'esbuild',
      version: VERSIONS.esbuild,
      command: esbuild && (({ entry, out, minify, maps }) => [
        esbuild, entry, '--bundle', '--format=esm', '--packages=external', '--legal-comments=none', '--log-level=error',
        ...(minify ? ['--minify'] : []), ...(maps ? ['--sourcemap'] : []), `--outdir=${out}`,
      ]),
    },
    {
      name: 'Bun',
      version: VERSIONS.bun,
      command: bun && (({ entry, out, minify, maps }) => [
        bun, 'build', entry, '--packages=external', ...(minify ? ['--minify'] : []), ...(maps ? ['--sourcemap=external'] : []), `--outdir=${out}`,
      ]),
    },
    byNode('Rolldown', 'rolldown', 'rolldown.mjs', `@rolldown/binding-${PLATFORM}-gnu`),
    byNode('Rspack', '@rspack/core', 'rspack.mjs', `@rspack/binding-${PLATFORM}-gnu`),
  ];
}

function byNode(name, packageName, script, binding) {
  const there = program(packageName) && program(binding);
  const command = ({ entry, out, minify, maps }) => [process.execPath, join(HERE, script), entry, out, String(minify), String(maps)];
  return { name, version: VERSIONS[packageName], slow: true, command: there && command };
}
