// Bun's own server, with JSON arrays in text frames and its own publish.
import { act, listening } from './actions.mjs';

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request, server) {
    return server.upgrade(request) ? undefined : new Response('a websocket is wanted here', { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    // A slow reader is kept, as the others do.
    backpressureLimit: 64 * 1024 * 1024,
    open: (socket) => socket.subscribe('news'),
    message(socket, text) {
      const [id, action, argument] = JSON.parse(text);
      act(action, argument, (value) => socket.send(JSON.stringify([id, value])), publish);
    },
  },
});
const publish = (text) => server.publish('news', JSON.stringify(['news', text]));
listening(server.port);
