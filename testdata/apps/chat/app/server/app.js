const house = require('house');
const roster = require('roster');

/** Puts the user back into the rooms that the session remembers, and notices when the tab goes. */
function settle(session, user) {
  const joined = house.joined(session.channel.list()).filter((name) => house.open(name));
  joined.forEach((name) => house.enter(house.find(name), user));
  const close = roster.open(user);
  session.on('disconnect', () => {
    close();
    if (!roster.isHere(user)) house.leaveAll(user);
    SS.publish.broadcast('people:changed', { user });
  });
  SS.publish.broadcast('people:changed', { user });
  return joined;
}

exports.actions = {
  // Called by each tab when it starts, and again when its connection or its user has changed.
  init(cb) {
    const user = this.session.user_id;
    const joined = user ? settle(this.session, user) : [];
    const last = this.session.attributes.last_room;
    cb({
      user: user || null,
      rooms: user ? house.list() : [],
      joined,
      last: user && last ? last : null,
    });
  },

  async ping() {
    return { at: Date.now(), env: SS.env };
  },

  square: (number, cb) => cb(number * number),
};
