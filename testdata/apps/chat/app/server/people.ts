interface Person {
  name: string;
  here: boolean;
}

const roster = require('roster');

export const authenticate = true;

export const actions = {
  async list(): Promise<Person[]> {
    const names: string[] = await SS.users.online.now();
    return names
      .map((name) => ({ name, here: roster.isHere(name) }))
      .sort((a, b) => Number(b.here) - Number(a.here) || a.name.localeCompare(b.name));
  },
} satisfies SS.Actions;
