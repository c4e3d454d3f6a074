// Only for those who have come in: the server refuses everybody else, over every way to call.
exports.authenticate = true;

// Shared by all, as long as the server runs.
const history = [];

exports.actions = {
  async enter() {
    return { people: await SS.users.online.now(), history };
  },

  people() {
    return SS.users.online.now();
  },

  say(text) {
    const problem = SS.shared.rules.message(text);
    if (problem) return { problem };
    const message = { from: this.session.user_id, text: text.trim() };
    history.push(message);
    if (history.length > 50) history.shift();
    SS.publish.broadcast('message', message);
    return {};
  },
};
