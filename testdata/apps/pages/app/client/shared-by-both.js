exports.say = (what) => document.body.append(what);
