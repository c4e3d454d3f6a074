// @ts-check
const greeting = require('greeting');

exports.actions = /** @satisfies {SS.Actions} */ ({
  /**
   * @param {number} id
   * @param {(name: string) => void} cb
   */
  name(id, cb) {
    cb(greeting.to(`${this.session.user_id ?? id}`));
  },

  // Without a word about its types.
  guess(id, cb) {
    cb(id);
  },
});
