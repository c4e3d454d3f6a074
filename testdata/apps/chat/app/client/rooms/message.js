// How one message looks.

const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,!?;:)\]]/g;

/** The text as nodes, so that nothing in it can become markup; links are made links. */
function nodesOf(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    nodes.push(document.createTextNode(emoji.plain(text.slice(from, match.index))));
    nodes.push(dom.make(SS.templates['rooms-link'], { url: match[0] }));
    from = match.index + match[0].length;
  }
  nodes.push(document.createTextNode(emoji.plain(text.slice(from))));
  return nodes;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

exports.element = function (message, mine) {
  const element = dom.make(SS.templates['rooms-message'], {
    id: message.id,
    from: message.from,
    time: clock.format(message.at),
    iso: new Date(message.at).toISOString(),
  });
  element.classList.toggle('is-mine', mine);
  dom.one('.message__face', element).appendChild(SS.client.topBar.avatar(message.from));
  dom.replace(dom.one('.message__text', element), nodesOf(message.text));
  return element;
};

exports.note = (text) => dom.make(SS.templates['rooms-note'], { text });

exports.day = function (at) {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return exports.note(isToday ? 'Today' : calendar.format(at));
};

exports.dayOf = (at) => new Date(at).toDateString();
