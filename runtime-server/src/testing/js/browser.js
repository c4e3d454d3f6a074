// A browser without a screen: what the runtime client and the app's client code find. It loads a page of the server.
(function (ss) {
  "use strict";
  const { host } = ss;
  const window = globalThis;
  window.window = window.self = window.top = window.parent = window;

  // Elements that are not shown: they keep what is put into them.
  class Element {
    constructor(name = "div") {
      this.tagName = String(name).toUpperCase();
      this.style = {};
      this.dataset = {};
      this.childNodes = [];
      this.attributes = {};
      this.textContent = this.value = this.className = this.id = "";
      this.markup = "";
      this.nodeType = name === "#text" ? 3 : name === "#document-fragment" ? 11 : 1;
      this.nodeName = this.tagName;
      const classes = new Set();
      this.classList = {
        add: (...names) => names.forEach((one) => classes.add(one)),
        remove: (...names) => names.forEach((one) => classes.delete(one)),
        toggle: (name) => (classes.has(name) ? !classes.delete(name) : !!classes.add(name)),
        contains: (name) => classes.has(name),
      };
    }
    get children() {
      return this.childNodes;
    }
    // Libraries look at what became of a piece of HTML: its outermost elements are there, without what is in them.
    get innerHTML() {
      return this.markup;
    }
    set innerHTML(html) {
      this.markup = String(html);
      const first = /<([a-z][\w-]*)/i.exec(this.markup);
      this.childNodes = first ? [new Element(first[1])] : [];
    }
    get firstChild() {
      return this.childNodes[0] || null;
    }
    get lastChild() {
      return this.childNodes[this.childNodes.length - 1] || null;
    }
    get ownerDocument() {
      return this === document ? null : document;
    }
    cloneNode(deep) {
      const clone = new Element(this.tagName);
      clone.attributes = { ...this.attributes };
      if (deep) clone.childNodes = this.childNodes.map((child) => (child.cloneNode ? child.cloneNode(true) : child));
      return clone;
    }
    insertBefore(child) {
      return this.appendChild(child);
    }
    getElementsByTagName() {
      return [];
    }
    appendChild(child) {
      this.childNodes.push(child);
      if (child.tagName === "SCRIPT" && child.src) load(child);
      return child;
    }
    append(...children) {
      children.forEach((child) => this.appendChild(child));
    }
    removeChild(child) {
      this.childNodes = this.childNodes.filter((one) => one !== child);
      return child;
    }
    remove() {}
    setAttribute(name, value) {
      this.attributes[name] = String(value);
    }
    getAttribute(name) {
      return this.attributes[name] ?? null;
    }
    removeAttribute(name) {
      delete this.attributes[name];
    }
    addEventListener() {}
    removeEventListener() {}
    querySelector() {
      return null;
    }
    querySelectorAll() {
      return [];
    }
    focus() {}
    blur() {}
    click() {}
  }
  window.Element = window.HTMLElement = window.Node = Element;

  const byId = new Map();
  const listeners = { document: [], window: [] };
  const listen = (on) => ({
    addEventListener: (name, fn) => listeners[on].push([name, fn]),
    removeEventListener: (name, fn) => (listeners[on] = listeners[on].filter((one) => one[0] !== name || one[1] !== fn)),
  });
  const document = Object.assign(new Element("#document"), listen("document"), {
    nodeType: 9,
    defaultView: window,
    implementation: { createHTMLDocument: () => ({ body: new Element("body"), head: new Element("head") }) },
    readyState: "complete",
    visibilityState: "visible",
    cookie: "",
    title: "",
    head: new Element("head"),
    body: new Element("body"),
    documentElement: new Element("html"),
    getElementById: (id) => byId.get(id) || null,
    createElement: (name) => new Element(name),
    createTextNode: (text) => Object.assign(new Element("#text"), { textContent: String(text) }),
    createDocumentFragment: () => new Element("#document-fragment"),
    getElementsByTagName: () => [],
    getElementsByClassName: () => [],
    querySelector: (selector) => (selector[0] === "#" ? byId.get(selector.slice(1)) || null : null),
    querySelectorAll: (selector) => (selector === 'script[type="text/html"]' ? [...byId.values()].filter((one) => one.type === "text/html") : []),
  });
  const browser = Object.assign(listen("window"), {
    document,
    location: new URL(ss.program.origin + "/"),
    navigator: { userAgent: "ssbuild test", onLine: true, language: "en" },
    history: { pushState() {}, replaceState() {}, back() {}, state: null },
    localStorage: storage(),
    sessionStorage: storage(),
    requestAnimationFrame: (fn) => setTimeout(() => fn(host.now()), 16),
    cancelAnimationFrame: (id) => clearTimeout(id),
    matchMedia: () => ({ matches: false, addListener() {}, addEventListener() {} }),
    scrollTo() {},
    alert() {},
  });
  // Whatever the language has of these already, a browser's are its own.
  for (const name of Object.keys(browser)) {
    Object.defineProperty(window, name, { value: browser[name], configurable: true, writable: true, enumerable: true });
  }
  Object.defineProperty(window, "performance", { value: { now: () => host.now(), mark() {}, measure() {} }, configurable: true, writable: true });

  // The language here has no data of languages and places: dates and numbers are shown in one form.
  if (typeof Intl === "undefined") {
    const formatter = (format) =>
      class {
        format(value) {
          return format(value);
        }
        formatToParts(value) {
          return [{ type: "literal", value: format(value) }];
        }
        resolvedOptions() {
          return { locale: "en-US", timeZone: "UTC" };
        }
      };
    window.Intl = {
      DateTimeFormat: formatter((value = host.now()) => new Date(value).toISOString()),
      NumberFormat: formatter((value) => String(value)),
      ListFormat: formatter((value) => [...value].join(", ")),
      RelativeTimeFormat: formatter((value) => String(value)),
      Collator: class {
        compare(a, b) {
          return a < b ? -1 : a > b ? 1 : 0;
        }
      },
      PluralRules: class {
        select(count) {
          return count === 1 ? "one" : "other";
        }
      },
    };
  }

  function storage() {
    const kept = new Map();
    return {
      getItem: (name) => kept.get(String(name)) ?? null,
      setItem: (name, value) => void kept.set(String(name), String(value)),
      removeItem: (name) => void kept.delete(String(name)),
      clear: () => kept.clear(),
      get length() {
        return kept.size;
      },
    };
  }

  // The network: the host's, with this browser's cookies.
  const sockets = new Map();
  const requests = new Map();
  let last = 0;

  class WebSocket {
    constructor(url, protocol) {
      this.id = ++last;
      this.readyState = 0;
      this.onopen = this.onmessage = this.onclose = this.onerror = null;
      sockets.set(this.id, this);
      host.connect(this.id, String(url), String(protocol));
    }
    send(text) {
      host.write(this.id, String(text));
    }
    close(code = 1000) {
      if (this.readyState < 2) host.end(this.id, code);
      this.readyState = 2;
    }
  }
  window.WebSocket = WebSocket;

  window.fetch = (url, init = {}) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      requests.set(id, { resolve, reject });
      const headers = init.headers ? Object.entries(init.headers) : [];
      const address = new URL(String(url), window.location.href).href;
      host.request(id, (init.method || "GET").toUpperCase(), address, JSON.stringify(headers), init.body === undefined ? "" : String(init.body));
    });

  /** A script element that was put into the document. */
  function load(element) {
    window
      .fetch(element.src)
      .then((response) => response.text())
      .then(
        (code) => {
          host.evaluate(element.src, code);
          if (element.onload) element.onload();
        },
        (error) => element.onerror && element.onerror(error),
      );
  }

  ss.receive = (kind, id, value, more) => {
    if (kind === "timer") return ss.timer(id);
    const socket = sockets.get(id);
    if (kind === "response" || kind === "unreachable") {
      const { resolve, reject } = requests.get(id);
      requests.delete(id);
      if (kind === "unreachable") return reject(new TypeError(value));
      const headers = new Map(JSON.parse(more).headers);
      const { status } = JSON.parse(more);
      return resolve({
        ok: status >= 200 && status < 300,
        status,
        headers: { get: (name) => headers.get(String(name).toLowerCase()) ?? null },
        text: () => Promise.resolve(value),
        json: () => Promise.resolve().then(() => JSON.parse(value)),
      });
    }
    if (!socket) return undefined;
    switch (kind) {
      case "open":
        socket.readyState = 1;
        return socket.onopen && socket.onopen({});
      case "message":
        return socket.onmessage && socket.onmessage({ data: value });
      case "close":
        socket.readyState = 3;
        sockets.delete(id);
        return socket.onclose && socket.onclose({ code: value, reason: more });
    }
  };

  ss.failOwner = (what, error) => host.stray(error);

  const attribute = (tag, name) => {
    const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag);
    return found && found[1].replace(/&amp;/g, "&").replace(/&quot;/g, '"');
  };

  window.__ssTest = {
    /** Loads a page as a browser does, but for what is seen. */
    async load(path, init) {
      window.location = new URL(path, ss.program.origin + "/");
      const response = await window.fetch(path);
      if (!response.ok) throw new Error(`the page ${path} has status ${response.status}`);
      const html = await response.text();
      const scripts = [];
      for (const [, tag, text] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)) {
        const [id, type, src] = ["id", "type", "src"].map((name) => attribute(tag, name));
        if (src) scripts.push(src);
        else if (id) byId.set(id, Object.assign(new Element("script"), { id, type, textContent: text }));
      }
      const data = byId.get("ss-data");
      if (!data) throw new Error(`the page ${path} has no <SocketStream>`);
      const given = JSON.parse(data.textContent);
      // What a page in development tells its console would be among the results of the tests.
      data.textContent = JSON.stringify({ ...given, config: { ...given.config, log: { level: 0 } }, init });
      for (const src of scripts) {
        const code = await window.fetch(src);
        host.evaluate(src, await code.text());
      }
    },
    /** The server has greeted, and what the page's scripts threw has been told. */
    async ready() {
      await new Promise((resolve) => {
        if (window.SS.socket.state === "open") resolve();
        else window.SS.socket.once("connect", resolve);
      });
      await new Promise((resolve) => setTimeout(resolve, 2));
    },
    drop() {
      for (const socket of sockets.values()) host.break(socket.id);
    },
  };
});
