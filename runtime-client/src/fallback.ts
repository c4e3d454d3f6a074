// A socket without websockets, for networks that let none through: what the server says comes as server-sent events in
// the answer of one long request, what the page says goes in requests of its own.

import type { SocketLike } from "./env";

/** Opens one, given the address of the websocket that cannot be had. */
export function openFallback(url: string): SocketLike {
  const place = url.replace(/^ws/, "http").replace(/socket$/, "");
  const abort = new AbortController();
  let token = "";
  let waiting: string[] = [];
  let posting = false;
  let ended = false;

  // Who opens it sets the handlers at once.
  const socket: SocketLike = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send(text) {
      waiting.push(text);
      post();
    },
    close: () => end(1000, ""),
  };

  function end(code: number, reason: string) {
    if (ended) return;
    ended = true;
    abort.abort();
    socket.onclose!({ code, reason });
  }

  function broken() {
    end(1006, "");
  }

  function request(name: string, init: RequestInit) {
    // The socket may be on another host of the same site.
    return fetch(place + name, { method: "POST", credentials: "include", ...init });
  }

  /** One request at a time, so that messages keep their order. */
  function post() {
    if (posting || ended || !waiting.length) return;
    posting = true;
    const messages = waiting;
    waiting = [];
    request("messages", {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token, messages }),
    })
      .then((response) => {
        if (!response.ok) throw response;
        posting = false;
        post();
      })
      .catch(broken);
  }

  /** An event's name comes first, then its data: of a message, a line each. */
  function hear(event: string) {
    const [name, ...data] = event.split("\n").map((line) => line.replace(/^\w+: /, ""));
    if (name === "open") {
      token = data[0];
      socket.onopen!({});
    } else if (name === "close") {
      const [code, reason] = JSON.parse(data[0]);
      end(code, reason);
    } else for (const line of data) socket.onmessage!({ data: line });
  }

  request("events", { signal: abort.signal })
    .then((response) => {
      if (!response.ok || !response.body) throw response;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let rest = "";
      const read = (): Promise<void> =>
        reader.read().then(({ done, value }) => {
          if (done) throw done;
          const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
          rest = events.pop() as string;
          events.forEach(hear);
          return read();
        });
      return read();
    })
    .catch(broken);
  return socket;
}
