// `SS.users`: who is online.
(function (ss) {
  "use strict";
  const { freeze } = ss.p;

  ss.users = freeze({
    online: freeze({
      /** User ids, to a callback or as a promise. */
      now(callback) {
        return ss.both(ss.ask("online", ""), callback, "SS.users.online.now");
      },
    }),
  });
});
