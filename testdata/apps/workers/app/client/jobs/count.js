let count = 0;
self.onconnect = ({ ports: [port] }) => {
  port.onmessage = () => port.postMessage(++count);
};
