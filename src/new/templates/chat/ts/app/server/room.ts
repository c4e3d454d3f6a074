// Only for those who have come in: the server refuses everybody else, over every way to call.
export const authenticate = true;

export interface Message {
  from: string | null;
  text: string;
}

// Shared by all, as long as the server runs.
const history: Message[] = [];

export const actions = {
  async enter(): Promise<{ people: string[]; history: Message[] }> {
    return { people: await SS.users.online.now(), history };
  },

  async people(): Promise<string[]> {
    return SS.users.online.now();
  },

  async say(text: string): Promise<{ problem?: string }> {
    const problem = SS.shared.rules.message(text);
    if (problem) return { problem };
    const message: Message = { from: this.session.user_id, text: text.trim() };
    history.push(message);
    if (history.length > 50) history.shift();
    SS.publish.broadcast('message', message);
    return {};
  },
} satisfies SS.Actions;
