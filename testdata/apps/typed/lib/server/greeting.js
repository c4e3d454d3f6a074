/** @param {string} name */
exports.to = (name) => `Hello ${name}`;
