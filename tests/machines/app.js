exports.actions = {
  say(n) {
    SS.publish.broadcast('said', n);
    return n;
  },
  async add() {
    this.session.attributes.count = (this.session.attributes.count || 0) + 1;
    await this.session.save();
    return this.session.attributes.count;
  },
  version: () => 1,
};
