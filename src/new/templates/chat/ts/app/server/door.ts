// Who comes in. There is no password here: whoever says a name has it.

interface Entered {
  problem?: string;
  name?: string;
}

export const actions = {
  who(): string | null {
    return this.session.user_id;
  },

  async enter(name: string): Promise<Entered> {
    const problem = SS.shared.rules.name(name);
    if (problem) return { problem };
    await this.session.setUserId(name.trim());
    SS.publish.broadcast('people', {});
    return { name: name.trim() };
  },
} satisfies SS.Actions;
