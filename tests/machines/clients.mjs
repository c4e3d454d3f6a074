// 200 clients and one that publishes a number every 20 ms; each client calls once a second. A table of what they saw, step by step.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The websocket that the browser tests bring along.
const { ws: WebSocket } = createRequire(import.meta.url)('../browser/node_modules/playwright-core/lib/utilsBundle.js');

const [url, count, stepFile] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const origin = url.replace('ws:', 'http:').replace(/\/_ss.*/, '');
const steps = [];
// What was published for certain: its call was answered.
const answered = [];
const now = () => performance.now();
const fresh = (name) => ({ name, published: 0, calls: 0, failed: new Map(), moved: 0, refused: 0, gaps: 0, doubled: 0, unrecovered: 0, away_ms: 0, latency_ms: 0 });
let step = fresh('start');

class Client {
  constructor() {
    this.page = randomBytes(16).toString('hex');
    this.calls = new Map();
    this.id = 0;
    this.positions = null;
    this.seen = new Set();
    this.connect();
  }

  connect() {
    const headers = { Origin: origin, ...(this.cookie && { Cookie: this.cookie }) };
    const socket = new WebSocket(url, ['ss.1'], { headers });
    socket.on('upgrade', (answer) => (this.cookie = answer.headers['set-cookie']?.[0].split(';')[0] ?? this.cookie));
    this.socket = socket;
    this.open = false;
    socket.onopen = () => socket.send(JSON.stringify([0, 1, '', this.page, this.positions]));
    socket.onmessage = ({ data }) => data.split('\n').forEach((line) => this.take(JSON.parse(line)));
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      if (this.open && process.env.VERBOSE) console.error(step.name, 'closed with', code);
      if (this.open) [this.left, step.moved] = [now(), step.moved + 1];
      else step.refused += 1;
      this.open = false;
      if (!this.done) setTimeout(() => this.connect(), 100 + Math.random() * 900);
    };
    socket.onerror = (error) => process.env.VERBOSE && console.error(step.name, 'refused:', error.message);
  }

  take(message) {
    const [kind] = message;
    if (kind === 0) {
      if (this.positions && message[3] === false) {
        step.unrecovered += 1;
      }
      this.positions = message[4];
      if (this.left) step.away_ms = Math.max(step.away_ms, now() - this.left);
      this.left = 0;
      this.open = true;
      for (const [id, call] of this.calls) this.send(id, call);
    } else if (kind === 1 || kind === 2) {
      const call = this.calls.get(message[1]);
      if (!call) return;
      if (kind === 2 && message[2] === 'shutting_down') return void setTimeout(() => this.open && this.send(message[1], call), 200);
      this.calls.delete(message[1]);
      step.calls += 1;
      step.latency_ms = Math.max(step.latency_ms, now() - call.at);
      if (kind === 1 && call.action === 'app/say') answered.push({ n: message[2], step });
      if (kind === 2) step.failed.set(message[2], (step.failed.get(message[2]) ?? 0) + 1);
    } else if (kind === 3 && message[3] === 'said') {
      const n = message[4];
      if (this.seen.has(n)) step.doubled += 1;
      this.seen.add(n);
      this.positions = this.positions.map((position) => (position[0] === '*' ? ['*', position[1], message[2]] : position));
    } else if (kind === 7) {
      // As the client does it: at its turn, but not before the answers that it awaits.
      const { socket } = this;
      const turn = () => ([...this.calls.values()].some((call) => call.sent) ? setTimeout(turn, 50) : socket.close());
      setTimeout(turn, message[1]);
    }
  }

  call(action, ...args) {
    this.id += 1;
    this.calls.set(this.id, { action, args, at: now(), sent: false });
    if (this.open) this.send(this.id, this.calls.get(this.id));
  }

  // What was sent before says so: it may have run.
  send(id, call) {
    this.socket.send(JSON.stringify([1, id, call.action, call.args, ...(call.sent ? [1] : [])]));
    call.sent = true;
  }
}

const clients = Array.from({ length: count }, () => new Client());
const speaker = new Client();
let n = 0;
setInterval(() => speaker.open && speaker.calls.size < 50 && (speaker.call('app/say', n++), (step.published += 1)), 20);
let turn = 0;
setInterval(() => clients[turn++ % count].call('app/version'), 1000 / count);
setInterval(() => clients.forEach((client) => client.open && client.socket.send('[2]')), 20_000);

const watch = setInterval(() => {
  const name = existsSync(stepFile) ? readFileSync(stepFile, 'utf8').trim() : 'start';
  if (name === step.name) return;
  steps.push(step);
  if (name === 'end') return finish();
  step = fresh(name);
}, 50);

// Clients that came later have not seen the first ones.
function firstForAll() {
  return Math.max(...clients.map((client) => Math.min(...client.seen)));
}

function finish() {
  clearInterval(watch);
  for (const { n, step: at } of answered.filter(({ n }) => n >= firstForAll())) at.gaps += clients.filter((client) => !client.seen.has(n)).length;
  const rows = steps.slice(1).map((each) => {
    const failed = [...each.failed].map(([code, times]) => `${times} ${code}`).join(', ') || '0';
    return `| ${each.name} | ${each.published} | ${each.calls} | ${failed} | ${each.moved} | ${Math.round(each.away_ms)} | ${each.gaps} | ${each.doubled} | ${each.unrecovered} | ${Math.round(each.latency_ms)} |`;
  });
  console.log('| step | published | calls | failed | sockets moved | longest away, ms | events missed | doubled | told `recovered: false` | longest call, ms |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  console.log(rows.join('\n'));
  process.exit(0);
}
