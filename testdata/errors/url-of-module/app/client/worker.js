SS.server.app.square(5);
new Worker(new URL('./other.js', import.meta.url));
