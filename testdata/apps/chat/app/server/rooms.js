// Rooms are private channels: only sessions that have joined one are sent what is said in it.

const house = require('house');

exports.authenticate = true;

const shut = (problem) => ({ problem });

function isInside(session, name) {
  return session.channel.list().includes(house.channel(name));
}

exports.actions = {
  list() {
    return house.list();
  },

  async join(text) {
    const { value: name, problem } = SS.shared.validate.room(text);
    if (problem) return shut(problem);
    const room = house.open(name);
    if (!room) return shut('The house is full. Step into a room that is there.');
    const { session } = this;
    await session.channel.subscribe(house.channel(name));
    house.enter(room, session.user_id);
    session.attributes.last_room = name;
    return { name, topic: room.topic, members: house.members(room), history: room.history };
  },

  // What one who came back may have missed. The room may have been forgotten by a restart; then there is nothing.
  recall(name, cb) {
    if (!isInside(this.session, name)) return cb(shut('You are not in that room.'));
    const room = house.open(name);
    cb(room ? { name, topic: room.topic, members: house.members(room), history: room.history } : shut('No such room.'));
  },

  async leave(name) {
    const { session } = this;
    await session.channel.unsubscribe(house.channel(name));
    if (session.attributes.last_room === name) delete session.attributes.last_room;
    const room = house.find(name);
    if (room) house.leave(room, session.user_id);
    return true;
  },

  say(name, text, cb) {
    if (!isInside(this.session, name)) return cb(shut('Step into the room before you speak.'));
    const { value, problem } = SS.shared.validate.message(text);
    if (problem) return cb(shut(problem));
    const room = house.open(name);
    if (!room) return cb(shut('No such room.'));
    const message = house.keep(room, this.session.user_id, value);
    SS.publish.channel(house.channel(name), 'room:message', message);
    cb({ id: message.id });
  },

  typing(name) {
    if (!isInside(this.session, name)) return false;
    SS.publish.channel(house.channel(name), 'room:typing', { user: this.session.user_id });
    return true;
  },
};
