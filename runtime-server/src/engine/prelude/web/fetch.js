// `fetch` with `Headers`, `Request` and `Response` (WHATWG Fetch), bodies whole: no streams.
(function (ss) {
  "use strict";
  const { Map, TypeError, hidden, keys, mapGet, mapSet, mapDelete, parse, stringify, when } = ss.p;
  const { bytesOf, bytesToHex, hexInto } = ss;
  const { TextDecoder, TextEncoder, Uint8Array, ArrayBuffer, URL, URLSearchParams } = globalThis;
  const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
  const METHODS = /^(?:delete|get|head|options|post|put)$/i;

  class Headers {
    #values = new Map();
    constructor(init) {
      if (init === undefined || init === null) return;
      if (init instanceof Headers) init.forEach((value, name) => this.append(name, value));
      else if (typeof init[Symbol.iterator] === "function") for (const [name, value] of init) this.append(name, value);
      else for (const name of keys(init)) this.append(name, init[name]);
    }
    static #key(name) {
      if (!NAME.test(`${name}`)) throw new TypeError(`'${name}' is not the name of a header`);
      return `${name}`.toLowerCase();
    }
    static #value(value) {
      const text = `${value}`.replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, "");
      if (/[\0\r\n]/.test(text)) throw new TypeError("the value of a header has one line");
      return text;
    }
    append(name, value) {
      const key = Headers.#key(name);
      const before = mapGet(this.#values, key);
      mapSet(this.#values, key, before === undefined ? Headers.#value(value) : `${before}, ${Headers.#value(value)}`);
    }
    set(name, value) {
      mapSet(this.#values, Headers.#key(name), Headers.#value(value));
    }
    get(name) {
      return mapGet(this.#values, Headers.#key(name)) ?? null;
    }
    has(name) {
      return mapGet(this.#values, Headers.#key(name)) !== undefined;
    }
    delete(name) {
      mapDelete(this.#values, Headers.#key(name));
    }
    forEach(fn, self) {
      for (const [name, value] of this) fn.call(self, value, name, this);
    }
    entries() {
      return [...this.#values].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))[Symbol.iterator]();
    }
    *keys() {
      for (const [name] of this) yield name;
    }
    *values() {
      for (const [, value] of this) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
  }

  /** Text or bytes of what may be a body, and its type. */
  function bodyOf(body) {
    if (body === undefined || body === null) return { content: null, type: null };
    if (body instanceof URLSearchParams) return { content: `${body}`, type: "application/x-www-form-urlencoded;charset=UTF-8" };
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return { content: bytesOf(body).slice(), type: null };
    return { content: `${body}`, type: "text/plain;charset=UTF-8" };
  }

  class Body {
    #content;
    #used = false;
    constructor(content) {
      this.#content = content;
    }
    get body() {
      return null;
    }
    get bodyUsed() {
      return this.#used;
    }
    static take(body) {
      if (body.#used) throw new TypeError("the body was read already");
      body.#used = body.#content !== null;
      return body.#content;
    }
    static copy(body) {
      if (body.#used) throw new TypeError("the body was read already");
      return body.#content;
    }
    async text() {
      const content = take(this) ?? "";
      return typeof content === "string" ? content : new TextDecoder().decode(content);
    }
    async json() {
      return parse(await this.text());
    }
    async bytes() {
      const content = take(this) ?? "";
      return typeof content === "string" ? new TextEncoder().encode(content) : content;
    }
    async arrayBuffer() {
      const bytes = await this.bytes();
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }
  }
  const { take, copy } = Body;
  delete Body.take;
  delete Body.copy;

  class Request extends Body {
    constructor(input, init = undefined) {
      const from = input instanceof Request ? input : null;
      const url = new URL(from ? from.url : `${input}`);
      if (url.username || url.password) throw new TypeError("an address with a password cannot be fetched");
      const method = `${init?.method ?? from?.method ?? "GET"}`;
      if (!NAME.test(method)) throw new TypeError(`'${method}' is not a method`);
      const given = init?.body ?? undefined;
      const { content, type } = given === undefined ? { content: from ? take(from) : null, type: null } : bodyOf(given);
      const upper = METHODS.test(method) ? method.toUpperCase() : method;
      if (content !== null && (upper === "GET" || upper === "HEAD")) throw new TypeError(`a request with ${upper} has no body`);
      super(content);
      this.url = url.href;
      this.method = upper;
      this.headers = new Headers(init?.headers ?? from?.headers);
      if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
      this.redirect = `${init?.redirect ?? from?.redirect ?? "follow"}`;
      this.signal = init?.signal ?? from?.signal ?? null;
    }
    clone() {
      return new Request(this.url, { ...this, body: copy(this) ?? undefined });
    }
  }

  class Response extends Body {
    constructor(body = null, init = undefined) {
      const { content, type } = bodyOf(body);
      super(content);
      this.status = init?.status ?? 200;
      this.statusText = `${init?.statusText ?? ""}`;
      this.headers = new Headers(init?.headers);
      if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
      this.url = "";
      this.redirected = false;
      this.type = "default";
    }
    get ok() {
      return this.status >= 200 && this.status < 300;
    }
    clone() {
      const made = new Response(copy(this), this);
      return Object.assign(made, { url: this.url, redirected: this.redirected, type: this.type });
    }
    static json(value, init) {
      const made = new Response(stringify(value), init);
      if (!new Headers(init?.headers).has("content-type")) made.headers.set("content-type", "application/json");
      return made;
    }
    static error() {
      return Object.assign(new Response(null, { status: 200 }), { status: 0, type: "error" });
    }
  }

  function received(reply) {
    const content = reply.text ?? (reply.hex ? hexInto(reply.hex, new Uint8Array(reply.hex.length / 2)) : "");
    const made = new Response(null, { status: reply.status, statusText: reply.reason, headers: reply.headers });
    const full = new Response(content, made);
    // A body of text would say of itself what it is.
    full.headers.delete("content-type");
    for (const [name, value] of made.headers) full.headers.set(name, value);
    return Object.assign(full, { url: reply.url, redirected: reply.redirected, type: "basic" });
  }

  async function fetch(input, init = undefined) {
    const request = new Request(input, init);
    const { signal } = request;
    if (signal?.aborted) throw signal.reason;
    const protocol = new URL(request.url).protocol;
    if (protocol !== "http:" && protocol !== "https:") throw new TypeError(`only http and https can be fetched, not ${protocol}`);
    const content = take(request);
    const asked = {
      method: request.method,
      url: request.url,
      headers: [...request.headers],
      text: typeof content === "string" ? content : null,
      hex: content === null || typeof content === "string" ? null : bytesToHex(content),
      redirect: request.redirect,
    };
    const answered = when(ss.ask("fetch", `,${stringify(asked)}`), received, (error) => {
      throw new TypeError(`fetch failed: ${error.message}`);
    });
    if (!signal) return answered;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      const done = (end) => (value) => {
        signal.removeEventListener("abort", abort);
        end(value);
      };
      when(answered, done(resolve), done(reject));
    });
  }

  for (const made of [Headers, Request, Response, fetch]) hidden(globalThis, made.name, made);
});
