const house = require('house');

/** Tells all tabs of a user to ask again who they are. */
function changed(user) {
  SS.publish.user(user, 'session:changed', {});
}

exports.actions = {
  login(name, password, cb) {
    const { session } = this;
    session.authenticate('chat_auth', { name, password }, (answer) => {
      if (!answer.success) return cb({ user: null, field: answer.field, problem: answer.info });
      session.setUserId(answer.user_id);
      changed(answer.user_id);
      cb({ user: answer.user_id });
    });
  },

  logout(cb) {
    const { session } = this;
    const user = session.user_id;
    if (!user) return cb(true);
    const channels = session.channel.list();
    if (channels.length) session.channel.unsubscribe(channels);
    delete session.attributes.last_room;
    house.leaveAll(user);
    changed(user);
    session.user.logout(() => {
      SS.publish.broadcast('people:changed', { user });
      cb(true);
    });
  },
};
