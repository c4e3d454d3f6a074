// The servers: how each is started, and how it is known that it listens.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSIONS, packageFolder, program } from '../peers/packages.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const peer = (name) => join(HERE, 'peers', `${name}.mjs`);

/** The processors that servers and the load generator are bound to. */
export const CORES = { server: '0', load: '1' };

/** All servers, given where ours is and the builds that it serves. A `command` of null cannot run here. */
export function servers(ssserve, builds) {
  const own = (engine) => () =>
    [ssserve, builds[engine], '--env', engine, '--host', '127.0.0.1', '--port', '0',];
  const bun = program(`@oven/bun-${process.platform}-${process.arch}/bin/bun`);
  return [
    { id: 'node', name: 'ssserve, Node.js engine', dialect: 'ssserve', command: own('node') },
    { id: 'embedded', name: 'ssserve, embedded engine', dialect: 'ssserve', command: own('embedded') },
    { id: 'socket.io', name: `Socket.IO ${VERSIONS['socket.io']}`, dialect: 'socket-io', command: () => [process.execPath, peer('socket-io'), packageFolder('socket.io')] },
    { id: 'ws', name: `ws ${VERSIONS.ws}`, dialect: 'plain', command: () => [process.execPath, peer('ws'), packageFolder('ws')] },
    { id: 'bun', name: `Bun ${VERSIONS.bun}`, dialect: 'plain', command: bun ? () => [bun, peer('bun')] : null },
  ];
}

/** Starts one on its core; gives its process and port, and how to end it. */
export async function start({ name, command }, { workers, state } = {}) {
  const env = { ...process.env, NODE_ENV: 'production', SS__SERVER__ADMIN: 'off', SS__SERVER__STATE_DIR: state, SS__SERVER__WORKERS: `${workers ?? 1}` };
  const child = spawn('taskset', ['-c', CORES.server, ...command()], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const port = await new Promise((resolve, reject) => {
    const listen = (chunk) => {
      output += chunk;
      const told = /(?:listening on |:\/\/[^\s/]*:)(\d+)/.exec(output);
      if (told) resolve(Number(told[1]));
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${output}`)));
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return {
    pid: child.pid,
    port,
    async stop() {
      // What remains of its connections is not worth a graceful end.
      child.kill('SIGKILL');
      await ended;
    },
  };
}
