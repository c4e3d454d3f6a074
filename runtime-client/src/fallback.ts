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
    if (socket.onclose) socket.onclose({ code, reason });
  }

  function request(name: string, init: RequestInit) {
    // The socket may be on another host of the same site.
    return fetch(place + name, Object.assign({ method: "POST", credentials: "include" }, init));
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
    }).then(
      (response) => {
        posting = false;
        if (response.ok) post();
        else end(1006, "");
      },
      () => end(1006, ""),
    );
  }

  function hear(event: string) {
    const lines = event.split("\n");
    const all = (name: string) => lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length));
    const name = all("event: ")[0];
    const data = all("data: ").join("\n");
    if (name === "open") {
      token = data;
      if (socket.onopen) socket.onopen({});
    } else if (name === "close") {
      const [code, reason] = JSON.parse(data);
      end(code, reason);
    } else if (name && socket.onmessage) socket.onmessage({ data });
  }

  request("events", { signal: abort.signal })
    .then((response) => {
      if (!response.ok || !response.body) throw response;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let rest = "";
      const read = (): Promise<void> =>
        reader.read().then(({ done, value }) => {
          if (done) return end(1006, "");
          const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
          rest = events.pop() as string;
          events.forEach(hear);
          return read();
        });
      return read();
    })
    .catch(() => end(1006, ""));
  return socket;
}
