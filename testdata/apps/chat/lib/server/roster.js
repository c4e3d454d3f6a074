// How many open tabs each user has, so that the list can tell who is here from who has just gone.

const tabs = new Map();

/** Counts one more tab; the function it returns takes it off again, once. */
exports.open = function (user) {
  tabs.set(user, (tabs.get(user) || 0) + 1);
  let open = true;
  return function close() {
    if (!open) return;
    open = false;
    const left = tabs.get(user) - 1;
    if (left > 0) tabs.set(user, left);
    else tabs.delete(user);
  };
};

exports.isHere = (user) => tabs.has(user);
