// The list of rooms at the left, with what is new in those that one is in.
import type { Room } from '../app';

interface Row extends Room {
  joined: boolean;
  unread: number;
}

const rows = new Map<string, Row>();

function render(): void {
  const current = SS.client.rooms.view.current();
  const items = [...rows.values()].map((row) => {
    const item = dom.make(SS.templates['rooms-item'], {
      name: row.name,
      people: row.people || '',
      unread: row.unread > 99 ? '99+' : row.unread || '',
    });
    item.classList.toggle('is-current', row.name === current);
    item.classList.toggle('is-joined', row.joined);
    item.classList.toggle('is-unread', row.unread > 0);
    const button = dom.one('button', item);
    if (row.name === current) button.setAttribute('aria-current', 'true');
    return item;
  });
  dom.replace(dom.one('#room-list'), items);
}

function row(name: string): Row {
  let found = rows.get(name);
  if (!found) {
    found = { name, topic: '', people: 0, joined: false, unread: 0 };
    rows.set(name, found);
  }
  return found;
}

export function fill(rooms: Room[], joined: string[]): void {
  const unread = new Map([...rows.values()].map((old) => [old.name, old.unread]));
  rows.clear();
  for (const room of rooms) {
    rows.set(room.name, { ...room, joined: joined.includes(room.name), unread: unread.get(room.name) ?? 0 });
  }
  render();
}

export function find(name: string): Room {
  return row(name);
}

export function mark(name: string, changes: Partial<Row>): void {
  Object.assign(row(name), changes);
  render();
}

export function heard(name: string): void {
  mark(name, { unread: row(name).unread + 1 });
}

export function isJoined(name: string): boolean {
  return row(name).joined;
}

export function mount(): void {
  dom.on(dom.one('#room-list'), 'click', 'button', (button) => {
    const name = button.dataset.room as string;
    SS.client.topBar.closeDrawers();
    if (isJoined(name)) void SS.client.rooms.view.open(name);
    else SS.client.rooms.view.knock(name);
  });
  dom.on(dom.one('#rooms'), 'submit', '#new-room', (form, event) => {
    event.preventDefault();
    const input = dom.one<HTMLInputElement>('input', form);
    const { value, problem } = SS.shared.validate.room(input.value);
    if (problem) return SS.client.toast.say(problem);
    input.value = '';
    SS.client.topBar.closeDrawers();
    void SS.client.rooms.view.enter(value);
  });
  SS.events.on('rooms:changed', (room: Room) => mark(room.name, room));
}
