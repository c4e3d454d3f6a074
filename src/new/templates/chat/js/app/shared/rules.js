// The same rules on both sides: a browser asks before it sends, the server asks because it must.

/** What is wrong with a name; nothing when it is fine. */
exports.name = function (name) {
  if (typeof name !== 'string' || name.trim() === '') return 'Please tell us your name.';
  if (name.trim().length > 20) return 'A name has at most 20 letters.';
};

/** What is wrong with a message; nothing when it is fine. */
exports.message = function (text) {
  if (typeof text !== 'string' || text.trim() === '') return 'Write something first.';
  if (text.length > 500) return 'At most 500 letters, please.';
};
