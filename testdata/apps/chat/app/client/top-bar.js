// The bar above the conversation: which room, who is in it, and the two drawers of a narrow screen.

const HUES = 8;

/** Always the same colour for the same name. */
exports.hue = function (name) {
  let sum = 7;
  for (const sign of name) sum = (sum * 31 + sign.codePointAt(0)) % 9973;
  return sum % HUES;
};

exports.initials = function (name) {
  const words = name.split(/[ .'’_-]+/).filter(Boolean);
  const signs = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return signs.map((word) => [...word][0]).join('').toUpperCase();
};

exports.avatar = function (name) {
  return dom.make(SS.templates['people-avatar'], { name, hue: exports.hue(name), initials: exports.initials(name) });
};

const FACES = 4;

exports.showRoom = function (room) {
  dom.one('#room-name').textContent = room.name;
  dom.one('#room-topic').textContent = room.topic;
  document.title = `${room.name} · ${SS.config.title}`;
  dom.one('#leave').hidden = !room.members;
  exports.showMembers(room.members || []);
};

exports.showMembers = function (members) {
  const faces = members.slice(0, FACES).map(exports.avatar);
  dom.replace(dom.one('#room-faces'), faces);
  const more = members.length - faces.length;
  dom.one('#room-more').textContent = more > 0 ? `+${more}` : '';
};

exports.showMe = function (name) {
  dom.replace(dom.one('#me-face'), [exports.avatar(name)]);
  dom.one('#me-name').textContent = name;
};

function drawer(which) {
  const house = dom.one('#house');
  house.dataset.drawer = house.dataset.drawer === which ? '' : which;
}

exports.closeDrawers = () => {
  dom.one('#house').dataset.drawer = '';
};

exports.mount = function () {
  const house = dom.one('#house');
  dom.on(house, 'click', '[data-drawer-button]', (button) => drawer(button.dataset.drawerButton));
  dom.on(house, 'click', '#veil', exports.closeDrawers);
  dom.on(house, 'click', '#leave', () => SS.client.rooms.view.leave());
  dom.on(house, 'click', '#logout', () => SS.client.session.login.leave());
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') exports.closeDrawers();
  });
};
