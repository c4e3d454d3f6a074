// A terminal that a test types into and looks at: tmux, whose screen can be read, with its colours.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** The longest that anything on this machine may take before a test gives up. */
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** Quotes a word for a shell. */
const quoted = (word) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs a program on a screen of that many columns and lines; the test context ends it. */
export async function terminal(t, command, { columns = 100, lines = 30, env = {}, folder }) {
  // A server of its own, so that nobody's settings count.
  const socket = path.join(folder, 'tmux');
  const tmux = (...args) =>
    run('tmux', ['-S', socket, '-f', '/dev/null', ...args], { env: { ...process.env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' } });
  const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const size = ['-x', String(columns), '-y', String(lines)];
  // The screen stays when the program has ended.
  const line = `${command.map(quoted).join(' ')}; echo "ended with $?"; sleep 1000`;
  await tmux('-u', 'new-session', '-d', ...variables, ...size, 'sh', '-c', line).catch((error) =>
    assert.fail(error.code === 'ENOENT' ? 'tmux is missing: scripts/setup-tests.sh installs it' : error.message),
  );
  t.after(() => tmux('kill-server').catch(() => {}));
  const screen = async () => (await tmux('capture-pane', '-p')).stdout.trimEnd();
  return {
    /** What stands on it, as text. */
    screen,
    /** The same with the escape sequences of its colours. */
    painted: async () => (await tmux('capture-pane', '-p', '-e')).stdout.trimEnd(),
    /** What was scrolled out of it, too. */
    history: async () => (await tmux('capture-pane', '-p', '-S', '-')).stdout,
    press: (key) => tmux('send-keys', key),
    resize: (columns, lines) => tmux('resize-window', '-x', String(columns), '-y', String(lines)),
    /** Waits until the screen fits. */
    async until(words) {
      const end = Date.now() + PATIENCE_MS;
      for (;;) {
        const now = await screen();
        if (words instanceof RegExp ? words.test(now) : now.includes(words)) return now;
        assert.ok(Date.now() < end, `waited for ${words}; the screen is:\n${now}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}
