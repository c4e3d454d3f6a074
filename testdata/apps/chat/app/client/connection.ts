// The pill that tells whether the server hears us.

const SAYS: Record<string, string> = {
  live: 'Live',
  waiting: 'Reconnecting…',
};

function show(state: 'live' | 'waiting'): void {
  for (const pill of dom.all('.pill')) {
    pill.dataset.state = state;
    dom.one('.pill__text', pill).textContent = SAYS[state];
  }
}

export function watch(): void {
  SS.socket.on('connect', () => show('live'));
  SS.socket.on('reconnect', () => show('live'));
  SS.socket.on('disconnect', () => show('waiting'));
  show('live');
}
