import * as me from './session/me';

interface State {
  user: string | null;
  rooms: Room[];
  joined: string[];
  last: string | null;
}

export interface Room {
  name: string;
  topic: string;
  people: number;
}

/** Asks the server who this browser is and shows the login card or the house. */
export async function refresh(): Promise<void> {
  const state: State = await SS.server.app.init();
  if (me.name !== state.user) SS.client.rooms.view.close();
  me.become(state.user);
  document.body.dataset.stage = state.user ? 'house' : 'gate';
  SS.client.session.login.show(!state.user);
  dom.one('#house').hidden = !state.user;
  if (!state.user) return;
  SS.client.topBar.showMe(state.user);
  SS.client.rooms.list.fill(state.rooms, state.joined);
  SS.client.people.list.refresh();
  const current = SS.client.rooms.view.current() || state.last || 'lobby';
  if (state.joined.includes(current)) await SS.client.rooms.view.open(current);
  else SS.client.rooms.view.knock(current);
}

export async function init(): Promise<void> {
  SS.client.connection.watch();
  SS.client.session.login.mount();
  SS.client.topBar.mount();
  SS.client.rooms.list.mount();
  SS.client.rooms.view.mount();
  SS.client.people.list.mount();
  SS.events.on('session:changed', refresh);
  SS.socket.on('reconnect', refresh);
  await refresh();
}
