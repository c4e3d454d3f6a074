const house = require('house');

// A channel of the session's own, from login to logout: how all its tabs are told to ask again who they are.
const TABS = 'tabs:';

let logins = 0;

function newTabs() {
  logins += 1;
  return `${TABS}${Date.now().toString(36)}-${logins}`;
}

exports.actions = {
  login(name, password, cb) {
    const { session } = this;
    session.authenticate('chat_auth', { name, password }, (answer) => {
      if (!answer.success) return cb({ user: null, field: answer.field, problem: answer.info });
      const tabs = newTabs();
      session.channel.subscribe(tabs);
      session.setUserId(answer.user_id);
      SS.publish.channel(tabs, 'session:changed', {});
      cb({ user: answer.user_id });
    });
  },

  logout(cb) {
    const { session } = this;
    const user = session.user_id;
    if (!user) return cb(true);
    const channels = session.channel.list();
    const tabs = channels.filter((name) => name.startsWith(TABS));
    delete session.attributes.last_room;
    house.leaveAll(user);
    session.user.logout(() => {
      SS.publish.channels(tabs, 'session:changed', {});
      SS.publish.broadcast('people:changed', { user });
      if (channels.length) session.channel.unsubscribe(channels);
      cb(true);
    });
  },
};
