// Who comes in. There is no password here: whoever says a name has it.

exports.actions = {
  who() {
    return this.session.user_id;
  },

  async enter(name) {
    const problem = SS.shared.rules.name(name);
    if (problem) return { problem };
    await this.session.setUserId(name.trim());
    SS.publish.broadcast('people', {});
    return { name: name.trim() };
  },
};
