import * as page from './page';

// Called once, when the connection is there and the page is loaded.
export async function init(): Promise<void> {
  page.state('Connected');
  SS.socket.on('disconnect', () => page.state('Connecting again…'));
  SS.socket.on('connect', () => page.state('Connected'));
  SS.events.on('message', page.message);
  SS.events.on('people', refresh);
  if (await SS.server.door.who()) await enter();
  else door();
}

function door(): void {
  page.show('chat-door', async (field) => {
    const answer = await SS.server.door.enter(field('name').value);
    page.problem(answer.problem);
    if (answer.name) await enter();
  });
}

async function enter(): Promise<void> {
  page.show('chat-room', async (field) => {
    const text = field('text');
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

async function refresh(): Promise<void> {
  if (await SS.server.door.who()) page.people(await SS.server.room.people());
}
