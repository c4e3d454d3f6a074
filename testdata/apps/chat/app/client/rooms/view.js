// The conversation in the middle.
import * as me from '../session/me';
import { dayOf, day, element, note } from './message';
import { forget, heardTyping } from './typing';

const SAME_BREATH_MS = 3 * 60 * 1000;
// A reload, or a server that comes back, is a going and a coming that nobody wants to read about.
const SETTLE_MS = 1500;

let room = null;
let members = [];
/** Who is in by the last word of the server, while it is not written in the log yet. */
let coming = null;
let last = null;
let settling;
let typedAt = 0;
const shown = new Set();

export function current() {
  return room;
}

const log = () => dom.one('#log');

function isAtEnd() {
  const { scrollHeight, scrollTop, clientHeight } = log();
  return scrollHeight - scrollTop - clientHeight < 80;
}

function toEnd() {
  log().scrollTop = log().scrollHeight;
}

function append(message) {
  if (shown.has(message.id)) return;
  shown.add(message.id);
  const follow = isAtEnd() || message.from === me.name;
  const sameDay = last && dayOf(last.at) === dayOf(message.at);
  if (!sameDay) log().appendChild(day(message.at));
  const item = element(message, message.from === me.name);
  const continues =
    sameDay &&
    last.from === message.from &&
    message.at - last.at < SAME_BREATH_MS &&
    log().lastElementChild.dataset.id === last.id;
  item.classList.toggle('is-continued', Boolean(continues));
  log().appendChild(item);
  last = message;
  if (follow) toEnd();
}

const names = new Intl.ListFormat('en', { style: 'long', type: 'conjunction' });

function noteMembers() {
  clearTimeout(settling);
  if (!coming) return;
  const follow = isAtEnd();
  const came = coming.filter((name) => !members.includes(name));
  const went = members.filter((name) => !coming.includes(name));
  if (came.length) log().appendChild(note(`${names.format(came)} came in`));
  if (went.length) log().appendChild(note(`${names.format(went)} went out`));
  members = coming;
  coming = null;
  if (follow) toEnd();
}

function stage(which) {
  dom.one('#talk').dataset.stage = which;
  dom.one('#door').hidden = which !== 'door';
  dom.one('#log').hidden = which !== 'inside';
  dom.one('#composer').hidden = which !== 'inside';
}

function clear() {
  dom.replace(log(), []);
  shown.clear();
  last = null;
  members = [];
  coming = null;
  clearTimeout(settling);
  forget();
}

export function close() {
  clear();
  room = null;
}

/** Stands before a room that one is not in: nothing said inside can be read from here. */
export function knock(name) {
  clear();
  room = name;
  const found = SS.client.rooms.list.find(name);
  dom.replace(dom.one('#door'), [dom.make(SS.templates['rooms-door'], found)]);
  SS.client.topBar.showRoom({ name, topic: found.topic });
  SS.client.rooms.list.mark(name, { joined: false, unread: 0 });
  stage('door');
}

function enterWith(answer) {
  const came = room !== answer.name;
  if (came) clear();
  room = answer.name;
  members = answer.members;
  SS.client.topBar.showRoom(answer);
  SS.client.rooms.list.mark(answer.name, { joined: true, unread: 0, topic: answer.topic, people: members.length });
  stage('inside');
  answer.history.forEach(append);
  if (came) toEnd();
}

/** Shows a room that one is in, with what was missed. */
export async function open(name) {
  const answer = await SS.server.rooms.recall(name);
  if (answer.problem) return knock(name);
  if (room !== name || dom.one('#talk').dataset.stage !== 'inside') clear();
  enterWith(answer);
}

/** Steps into a room. */
export async function enter(name) {
  const answer = await SS.server.rooms.join(name);
  if (answer.problem) return SS.client.toast.say(answer.problem);
  clear();
  enterWith(answer);
  dom.one('#text').focus();
}

export async function leave() {
  const left = room;
  await SS.server.rooms.leave(left);
  if (room === left) knock(left);
}

async function send() {
  const input = dom.one('#text');
  const { value, problem } = SS.shared.validate.message(input.value);
  if (problem) return;
  input.value = '';
  typedAt = 0;
  fit(input);
  try {
    const answer = await SS.server.rooms.say(room, value);
    if (answer.problem) SS.client.toast.say(answer.problem);
  } catch (error) {
    SS.client.toast.say(error.message);
    if (input.value === '') input.value = value;
  }
}

/** Lets the box grow with its text. */
function fit(input) {
  input.rows = Math.min(6, Math.max(1, input.value.split('\n').length));
}

function told(params, channel) {
  return channel === `room:${room}` && dom.one('#talk').dataset.stage === 'inside';
}

export function mount() {
  dom.on(dom.one('#talk'), 'submit', '#composer', (_form, event) => {
    event.preventDefault();
    send();
  });
  const input = dom.one('#text');
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  input.addEventListener('input', () => {
    fit(input);
    if (Date.now() - typedAt < SS.config.typing_ms / 2 || input.value === '') return;
    typedAt = Date.now();
    // Nobody wants to know later that somebody was typing now.
    SS.with({ volatile: true, silent: true }, SS.server.rooms.typing)(room).catch(() => {});
  });
  dom.on(dom.one('#talk'), 'click', '#step-in', () => enter(room));

  SS.events.on('room:message', (message, channel) => {
    if (!told(message, channel)) return SS.client.rooms.list.heard(message.room);
    heardTyping(message.from, 0);
    // Nobody speaks before coming in.
    if (!members.includes(message.from)) noteMembers();
    append(message);
  });
  SS.events.on('room:members', (params, channel) => {
    if (!told(params, channel)) return;
    SS.client.topBar.showMembers(params.members);
    coming = params.members;
    clearTimeout(settling);
    settling = setTimeout(noteMembers, SETTLE_MS);
  });
  SS.events.on('room:typing', (params, channel) => {
    if (told(params, channel) && params.user !== me.name) heardTyping(params.user, SS.config.typing_ms);
  });
}
