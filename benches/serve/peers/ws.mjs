// The package ws, with JSON arrays in text frames.
import { createRequire } from 'node:module';
import { act, listening } from './actions.mjs';

const { WebSocketServer, WebSocket } = createRequire(import.meta.url)(process.argv[2]);
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });

function publish(text) {
  const message = JSON.stringify(['news', text]);
  for (const socket of server.clients) if (socket.readyState === WebSocket.OPEN) socket.send(message);
}

server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data) => {
    const [id, action, argument] = JSON.parse(data);
    act(action, argument, (value) => socket.send(JSON.stringify([id, value])), publish);
  });
});
server.on('listening', () => listening(server.address().port));
