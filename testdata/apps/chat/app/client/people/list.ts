// Everybody who is online.
import * as me from '../session/me';

interface Person {
  name: string;
  here: boolean;
}

function item({ name, here }: Person): HTMLElement {
  const status = name === me.name ? 'you' : here ? '' : 'away';
  const element = dom.make(SS.templates['people-item'], { name, status });
  element.classList.toggle('is-away', !here);
  dom.one('.person__face', element).appendChild(SS.client.topBar.avatar(name));
  return element;
}

async function ask(): Promise<void> {
  if (me.name === null) return;
  const people: Person[] = await SS.with({ volatile: true, silent: true }, SS.server.people.list)();
  dom.replace(dom.one('#people-list'), people.map(item));
  dom.one('#people-count').textContent = String(people.length);
}

export function refresh(): void {
  ask().catch(() => {
    // Offline, or logged out meanwhile: the next refresh shows what is true then.
  });
}

export function mount(): void {
  SS.events.on('people:changed', refresh);
  setInterval(refresh, SS.config.people_ms);
}
