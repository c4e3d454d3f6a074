// Messages to the host, and the questions among them that are answered.
(function (ss) {
  "use strict";
  const { Map, Error, RangeError, stringify, mapGet, mapSet, mapDelete, deferred, when } = ss.p;
  const QUESTIONS = 10_000;
  const { host } = ss;

  /** On Node.js the watcher reads it, too. */
  const { blamed } = host;
  let owner = 0;

  /** The call on whose behalf this runs; 0 is nobody's. Only for blame and for logs, never for rights. */
  ss.owner = blamed ? () => blamed[0] : () => owner;
  ss.blame = blamed ? (id) => void (blamed[0] = id) : (id) => void (owner = id);

  const asked = new Map();
  let lastQuestion = 0;
  let open = 0;

  /** Sends a message that has no answer. `parts` is JSON text, each part preceded by a comma. */
  ss.tell = (op, parts) => host.send(`["${op}"${parts}]`);

  /** Sends a question; a promise of its answer. */
  ss.ask = (op, parts) => {
    if (open >= QUESTIONS) throw new RangeError(`more than ${QUESTIONS} questions to the server are unanswered`);
    const question = ++lastQuestion;
    const ends = deferred();
    ends.owner = ss.owner();
    mapSet(asked, question, ends);
    open++;
    try {
      host.send(`["${op}",${question}${parts}]`);
    } catch (error) {
      if (mapDelete(asked, question)) open--;
      throw error;
    }
    return ends.promise;
  };

  /** The host's answer to a question. */
  ss.answered = (question, ok, value) => {
    const ends = mapGet(asked, question);
    if (!ends) return;
    mapDelete(asked, question);
    open--;
    ss.blame(ends.owner);
    if (ok) ends.resolve(value);
    else ends.reject(new Error(value));
  };

  ss.log = (level, text) => host.send(`["log",${level},${stringify(text)}]`);

  /** Logs a failure that has no caller any more. */
  ss.report = (what, error) => {
    const { message, stack } = ss.describe(error);
    ss.log(0, `${what}: ${stack ?? message}`);
  };

  /** Runs an app's callback. What it throws fails the call on whose behalf it runs, or is logged. */
  ss.callBack = (what, fn) => {
    try {
      fn();
    } catch (error) {
      ss.failOwner(`${what} threw`, error);
    }
  };

  /** A promise for those who await, a callback for those who gave one. */
  ss.both = (promise, callback, what) => {
    if (typeof callback === "function") {
      when(promise, (value) => ss.callBack(`the callback of ${what}`, () => callback(value)), (error) => ss.report(what, error));
    }
    return promise;
  };
});
