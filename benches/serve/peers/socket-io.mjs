// Socket.IO as its documentation sets it up, with websockets alone and without compression.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { act, listening } from './actions.mjs';

const { Server } = createRequire(import.meta.url)(process.argv[2]);
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
const publish = (text) => io.emit('news', text);

io.on('connection', (socket) => {
  for (const action of ['square', 'fib', 'later', 'publish']) {
    socket.on(action, (argument, answer) => act(action, argument, answer, publish));
  }
});
http.listen(0, '127.0.0.1', () => listening(http.address().port));
