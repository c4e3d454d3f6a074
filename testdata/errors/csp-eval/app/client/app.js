exports.run = (text) => eval(text);
