// URL and URLSearchParams (WHATWG URL). Addresses are parsed by the host.
(function (ss) {
  "use strict";
  const { String, Symbol, TypeError, hidden, accessor, parse, ownKeys, textSplit, join, slice, wellFormed } = ss.p;
  const { host } = ss;
  const { TextDecoder, TextEncoder, Uint8Array } = globalThis;
  const PARTS = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

  const { fromCharCode } = String;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  /** application/x-www-form-urlencoded, one name or value. */
  function escapeForm(text) {
    const bytes = encoder.encode(text);
    let out = "";
    for (let i = 0; i < bytes.length; i++) {
      const b = bytes[i];
      const plain = (b >= 48 && b <= 57) || (b >= 65 && b <= 90) || (b >= 97 && b <= 122) || b === 42 || b === 45 || b === 46 || b === 95;
      out += plain ? fromCharCode(b) : b === 32 ? "+" : `%${b < 16 ? "0" : ""}${b.toString(16).toUpperCase()}`;
    }
    return out;
  }
  function unescapeForm(text) {
    const from = encoder.encode(text);
    const bytes = [];
    const digit = (b) => (b >= 48 && b <= 57 ? b - 48 : b >= 65 && b <= 70 ? b - 55 : b >= 97 && b <= 102 ? b - 87 : -1);
    for (let i = 0; i < from.length; i++) {
      if (from[i] === 43) bytes[bytes.length] = 32;
      else if (from[i] === 37 && i + 2 < from.length && digit(from[i + 1]) >= 0 && digit(from[i + 2]) >= 0) {
        bytes[bytes.length] = digit(from[i + 1]) * 16 + digit(from[i + 2]);
        i += 2;
      } else bytes[bytes.length] = from[i];
    }
    return decoder.decode(new Uint8Array(bytes));
  }
  function read(text) {
    const pairs = [];
    const parts = textSplit(text, "&");
    for (let i = 0; i < parts.length; i++) {
      if (parts[i] === "") continue;
      const [name, ...rest] = textSplit(parts[i], "=");
      pairs[pairs.length] = [unescapeForm(name), unescapeForm(join(rest, "="))];
    }
    return pairs;
  }
  const usv = (value) => wellFormed(`${value}`);

  let owner = null;
  class URLSearchParams {
    #pairs = [];
    #url = owner;
    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        if (typeof init[Symbol.iterator] === "function") {
          for (const pair of init) {
            const both = [...pair];
            if (both.length !== 2) throw new TypeError("each pair of URLSearchParams has two elements");
            this.append(both[0], both[1]);
          }
        } else {
          for (const name of ownKeys(init)) if (typeof name === "string") this.append(name, init[name]);
        }
      } else {
        const text = usv(init);
        this.#pairs = read(text[0] === "?" ? text.slice(1) : text);
      }
    }
    static renew(params, text) {
      params.#pairs = read(text);
    }
    #changed() {
      if (this.#url) searchOf(this.#url, `${this}`);
    }
    get size() {
      return this.#pairs.length;
    }
    append(name, value) {
      this.#pairs[this.#pairs.length] = [usv(name), usv(value)];
      this.#changed();
    }
    delete(name, value) {
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== usv(name) || (value !== undefined && pair[1] !== usv(value)));
      this.#changed();
    }
    get(name) {
      return this.#pairs.find((pair) => pair[0] === usv(name))?.[1] ?? null;
    }
    getAll(name) {
      return this.#pairs.filter((pair) => pair[0] === usv(name)).map((pair) => pair[1]);
    }
    has(name, value) {
      return this.#pairs.some((pair) => pair[0] === usv(name) && (value === undefined || pair[1] === usv(value)));
    }
    set(name, value) {
      const at = this.#pairs.findIndex((pair) => pair[0] === usv(name));
      if (at < 0) return this.append(name, value);
      this.#pairs = this.#pairs.filter((pair, i) => i <= at || pair[0] !== usv(name));
      this.#pairs[at] = [usv(name), usv(value)];
      this.#changed();
    }
    sort() {
      this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#changed();
    }
    forEach(callback, self) {
      for (const [name, value] of this.#pairs) callback.call(self, value, name, this);
    }
    *entries() {
      for (let i = 0; i < this.#pairs.length; i++) yield slice(this.#pairs[i]);
    }
    *keys() {
      for (let i = 0; i < this.#pairs.length; i++) yield this.#pairs[i][0];
    }
    *values() {
      for (let i = 0; i < this.#pairs.length; i++) yield this.#pairs[i][1];
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return join(this.#pairs.map((pair) => `${escapeForm(pair[0])}=${escapeForm(pair[1])}`), "&");
    }
  }
  const { renew } = URLSearchParams;
  delete URLSearchParams.renew;

  class URL {
    #parts;
    #params = null;
    constructor(input, base = undefined) {
      const parts = host.parseUrl(usv(input), base === undefined ? undefined : usv(base));
      if (parts === undefined || parts === null) throw new TypeError(`'${input}' is not a valid URL`);
      this.#parts = parse(parts);
    }
    static canParse(input, base = undefined) {
      return typeof host.parseUrl(usv(input), base === undefined ? undefined : usv(base)) === "string";
    }
    static parse(input, base = undefined) {
      return URL.canParse(input, base) ? new URL(input, base) : null;
    }
    static part(url, index) {
      return url.#parts[index];
    }
    static change(url, name, value) {
      const parts = host.setUrl(url.#parts[0], name, value);
      if (typeof parts !== "string") throw new TypeError(`'${value}' is not a valid URL`);
      url.#parts = parse(parts);
      if (url.#params && (name === "href" || name === "search")) renew(url.#params, url.#parts[9].slice(1));
    }
    /** The search, set from its own params. */
    static searched(url, text) {
      url.#parts = parse(host.setUrl(url.#parts[0], "search", text));
    }
    get searchParams() {
      if (!this.#params) {
        owner = this;
        try {
          this.#params = new URLSearchParams(this.#parts[9]);
        } finally {
          owner = null;
        }
      }
      return this.#params;
    }
    toString() {
      return this.#parts[0];
    }
    toJSON() {
      return this.#parts[0];
    }
  }
  const { part, change } = URL;
  const searchOf = URL.searched;
  delete URL.part;
  delete URL.change;
  delete URL.searched;
  for (let i = 0; i < PARTS.length; i++) {
    const name = PARTS[i];
    const get = function () {
      return part(this, i);
    };
    const set = function (value) {
      change(this, name, usv(value));
    };
    accessor(URL.prototype, name, get, name === "origin" ? undefined : set);
  }

  hidden(globalThis, "URL", URL);
  hidden(globalThis, "URLSearchParams", URLSearchParams);
});
