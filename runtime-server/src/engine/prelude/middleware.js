// Middleware of config/http.* where there are no streams: whole bodies, one message in and one out.
(function (ss) {
  "use strict";
  const { Map, Error, TypeError, create, freeze, keys, isArray, mapGet, mapSet, mapDelete, when } = ss.p;
  const { SSError } = ss;

  /** The functions, or `null` when there are none. */
  ss.middleware = null;

  class Response {
    #headers = new Map();
    #chunks = "";
    #ended = false;
    #end;
    statusCode = 200;
    constructor(end) {
      this.#end = end;
    }
    get headersSent() {
      return this.#ended;
    }
    get finished() {
      return this.#ended;
    }
    get writableEnded() {
      return this.#ended;
    }
    setHeader(name, value) {
      if (this.#ended) throw new Error("Cannot set headers after they are sent to the client");
      const list = isArray(value) ? value : [value];
      const texts = [];
      for (let i = 0; i < list.length; i++) texts[i] = `${list[i]}`;
      mapSet(this.#headers, `${name}`.toLowerCase(), texts);
      return this;
    }
    getHeader(name) {
      const values = mapGet(this.#headers, `${name}`.toLowerCase());
      return values && (values.length === 1 ? values[0] : values);
    }
    hasHeader(name) {
      return mapGet(this.#headers, `${name}`.toLowerCase()) !== undefined;
    }
    removeHeader(name) {
      mapDelete(this.#headers, `${name}`.toLowerCase());
    }
    getHeaders() {
      const all = create(null);
      this.#headers.forEach((values, name) => (all[name] = values.length === 1 ? values[0] : values));
      return all;
    }
    writeHead(status, reason, headers) {
      this.statusCode = status;
      const given = typeof reason === "object" && reason !== null ? reason : headers ?? {};
      const names = keys(given);
      for (let i = 0; i < names.length; i++) this.setHeader(names[i], given[names[i]]);
      return this;
    }
    write(chunk) {
      if (this.#ended) throw new Error("write after end");
      this.#chunks += textOf(chunk);
      return true;
    }
    end(chunk) {
      if (this.#ended) return this;
      if (chunk !== undefined && chunk !== null && typeof chunk !== "function") this.write(chunk);
      this.#ended = true;
      this.#end({ __proto__: null, status: this.statusCode, headers: pairs(this), body: this.#chunks });
      return this;
    }
    static pairs(response) {
      const pairs = [];
      response.#headers.forEach((values, name) => {
        for (let i = 0; i < values.length; i++) pairs[pairs.length] = [name, values[i]];
      });
      return pairs;
    }
  }
  const { pairs } = Response;
  delete Response.pairs;
  freeze(Response.prototype);

  function textOf(chunk) {
    if (typeof chunk === "string") return chunk;
    if (typeof chunk === "object" && chunk !== null) return new globalThis.TextDecoder().decode(chunk);
    throw new TypeError("a body is text or bytes");
  }

  /** Runs the chain; `answer` gets what becomes of the request. */
  function run(request, response, answer, fail) {
    let at = 0;
    function next(error) {
      if (response.headersSent) {
        if (error !== undefined && error !== null) ss.report("config/http failed after it had answered", error);
        return;
      }
      const fn = ss.middleware[at++];
      if (fn === undefined) {
        if (error !== undefined && error !== null) fail(error);
        else answer({ __proto__: null, pass: true, url: request.url, headers: pairs(response) });
        return;
      }
      const failed = error !== undefined && error !== null;
      // As in Connect: functions of four parameters are for errors, and only for them.
      if (failed !== (fn.length === 4)) return next(error);
      let told = false;
      const once = (problem) => {
        if (told) return;
        told = true;
        next(problem);
      };
      try {
        const late = ss.promised(failed ? fn(error, request, response, once) : fn(request, response, once));
        if (late) when(late, undefined, (problem) => once(problem ?? new Error("a middleware was rejected")));
      } catch (problem) {
        once(problem ?? new Error("a middleware threw"));
      }
    }
    next();
  }

  /** A request of the host: `[method, url, headers, ip, secure, body]`. */
  ss.http = (id, parts) => {
    const state = ss.callState(id, null, ["http", "http", parts[3], null, null]);
    const { answer, fail, wait } = ss.answers(state, "config/http");
    try {
      ss.checkStarted();
      if (ss.middleware === null) throw new SSError("unknown_action", "there is no middleware");
      const [method, url, list, ip, secure, body] = parts;
      const headers = create(null);
      for (let i = 0; i < list.length; i++) {
        const [name, value] = list[i];
        headers[name] = headers[name] === undefined ? value : `${headers[name]}${name === "cookie" ? "; " : ", "}${value}`;
      }
      const request = { method, url, originalUrl: url, headers, ip, secure, body: body ?? undefined };
      run(request, new Response(answer), answer, fail);
    } catch (error) {
      return fail(error);
    }
    wait();
  };
});
