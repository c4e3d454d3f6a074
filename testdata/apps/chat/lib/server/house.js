// The rooms: what was said in each, and who is in. All of it lives in memory and is gone with the server;
// what a session must not lose (its user, its rooms) is in the session.

const CHANNEL = 'room:';

const rooms = new Map();

function build(name, topic) {
  const room = { name, topic, members: new Map(), history: [] };
  rooms.set(name, room);
  return room;
}

build('lobby', 'Say hello, everybody passes through here');
build('kitchen', 'What is cooking, and what should be');
build('workshop', 'Things half made, and how to finish them');
build('garden', 'Slow news from outside');

let said = 0;

/** The room of that name; opened when it is not there yet; null when the house is full. */
exports.open = function (name) {
  const room = rooms.get(name);
  if (room) return room;
  if (rooms.size >= SS.config.app.rooms_at_most) return null;
  return build(name, 'A room somebody opened');
};

exports.find = (name) => rooms.get(name) || null;

/** All rooms as the list shows them. */
exports.list = () =>
  Array.from(rooms.values(), (room) => ({ name: room.name, topic: room.topic, people: room.members.size }));

exports.channel = (name) => CHANNEL + name;

/** The rooms among a session's channels. */
exports.joined = (channels) =>
  channels.filter((channel) => channel.startsWith(CHANNEL)).map((channel) => channel.slice(CHANNEL.length));

exports.members = (room) => Array.from(room.members.keys()).sort((a, b) => a.localeCompare(b));

function announce(room) {
  const members = exports.members(room);
  SS.publish.channel(exports.channel(room.name), 'room:members', { members });
  SS.publish.broadcast('rooms:changed', { name: room.name, topic: room.topic, people: members.length });
}

exports.enter = function (room, user) {
  if (room.members.has(user)) return;
  room.members.set(user, Date.now());
  announce(room);
};

exports.leave = function (room, user) {
  if (room.members.delete(user)) announce(room);
};

exports.leaveAll = function (user) {
  for (const room of rooms.values()) exports.leave(room, user);
};

/** Keeps a message in the room's ring and gives it its id, which no restart repeats. */
exports.keep = function (room, from, text) {
  const at = Date.now();
  said += 1;
  const message = { id: `${at.toString(36)}-${said.toString(36)}`, room: room.name, from, text, at };
  room.history.push(message);
  while (room.history.length > SS.config.app.history_messages) room.history.shift();
  return message;
};
