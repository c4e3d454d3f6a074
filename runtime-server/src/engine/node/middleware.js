// Middleware of config/http.*: a server of Node.js's own behind the real one, joined to it by a socket on disk that only this user
// can open. Requests that the chain passes on go back with what was set for the answer.
(function (require, ss, boot) {
  "use strict";
  const { path, secret } = boot;
  const { createServer } = require("node:http");
  const chain = ss.middleware;
  const NEXT = "x-ss-next";

  function fail(error, request, response) {
    ss.report(`config/http failed for ${request.method} ${request.url}`, error);
    ss.exception(error, "config/http");
    if (response.headersSent) return void response.destroy();
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    const given = error?.status ?? error?.statusCode;
    response.statusCode = Number.isInteger(given) && given >= 400 && given < 600 ? given : 500;
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.end(response.statusCode < 500 && error?.expose ? `${error.message}` : "the server could not answer this");
  }

  /** Nobody answered: the real server goes on. */
  function pass(request, response) {
    if (response.headersSent || response.writableEnded) return;
    response.setHeader(NEXT, secret);
    if (request.url !== request.asked && /^\/[\x21-\x7e]*$/.test(request.url)) response.setHeader("x-ss-url", request.url);
    response.statusCode = 200;
    response.end();
  }

  function run(request, response) {
    let at = 0;
    function next(error) {
      const failed = error !== undefined && error !== null && error !== "route" && error !== "router";
      if (response.headersSent && !failed) return;
      const fn = chain[at++];
      if (fn === undefined) return failed ? fail(error, request, response) : pass(request, response);
      // As in Connect: functions of four parameters are for errors, and only for them.
      if (failed !== (fn.length === 4)) return next(failed ? error : undefined);
      let told = false;
      const once = (problem) => {
        if (told) return;
        told = true;
        next(problem);
      };
      try {
        const late = ss.promised(failed ? fn(error, request, response, once) : fn(request, response, once));
        if (late) late.then(undefined, (problem) => once(problem ?? new Error("a middleware was rejected")));
      } catch (problem) {
        once(problem ?? new Error("a middleware threw"));
      }
    }
    next();
  }

  const server = createServer({ keepAlive: false, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    const { headers, socket } = request;
    const own = (object, name, value) => Object.defineProperty(object, name, { __proto__: null, value, configurable: true, writable: true });
    own(request, "asked", request.url);
    own(socket, "remoteAddress", headers["x-ss-ip"]);
    own(socket, "encrypted", headers["x-ss-proto"] === "https");
    for (const name of ["x-ss-ip", "x-ss-proto"]) delete headers[name];
    for (let i = request.rawHeaders.length - 2; i >= 0; i -= 2) {
      if (/^x-ss-(?:ip|proto)$/i.test(request.rawHeaders[i])) request.rawHeaders.splice(i, 2);
    }
    response.on("error", () => {});
    request.on("error", () => {});
    if (ss.started === null) run(request, response);
    else ss.started.then(() => run(request, response), (error) => fail(error, request, response));
  });
  server.maxHeadersCount = 0;
  server.listen(path, () => ss.host.send(`["listening"]`));
  server.on("error", (error) => ss.report("config/http cannot listen", error));
});
