const page = require('./page');

// Called once, when the connection is there and the page is loaded.
exports.init = async function () {
  page.state('Connected');
  SS.socket.on('disconnect', () => page.state('Connecting again…'));
  SS.socket.on('connect', () => page.state('Connected'));
  SS.events.on('message', page.message);
  SS.events.on('people', refresh);
  if (await SS.server.door.who()) await enter();
  else door();
};

function door() {
  page.show('chat-door', async ({ name }) => {
    const answer = await SS.server.door.enter(name.value);
    page.problem(answer.problem);
    if (answer.name) await enter();
  });
}

async function enter() {
  page.show('chat-room', async ({ text }) => {
    const problem = SS.shared.rules.message(text.value);
    page.problem(problem);
    if (problem) return;
    await SS.server.room.say(text.value);
    text.value = '';
  });
  const { people, history } = await SS.server.room.enter();
  page.people(people);
  history.forEach(page.message);
}

async function refresh() {
  if (await SS.server.door.who()) page.people(await SS.server.room.people());
}
