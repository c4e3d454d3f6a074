// The client put together: what the page, the socket, the calls and the events are to each other.

import { createActions } from "./action";
import type { Env } from "./env";
import { createEmitter } from "./events";
import { SSError } from "./failure";
import { createLog } from "./log";
import { readPage } from "./page";
import type { PageData } from "./page";
import { hello } from "./protocol";
import type { ServerMessage } from "./protocol";
import { createCalls } from "./rpc";
import { redeem } from "./session";
import { createSocket } from "./socket";
import { findInit, whenLoaded } from "./start";
import { createStreams } from "./streams";
import { createTemplates } from "./templates";
import { createNode, grow } from "./tree";
import type { Loader } from "./tree";

/** Makes the `SS` of a page, which connects as soon as the document is loaded. */
export function createClient(env: Env, loader: Loader) {
  const raise = loader.report;
  const page = readPage(loader.page() as PageData, env.window.location.href);
  const log = createLog(env, page);
  const events = createEmitter(raise);
  const socketEvents = createEmitter(raise);
  const streams = createStreams();
  const clientId = Array.from(env.randomBytes(16), (byte) => (byte + 256).toString(16).slice(1)).join("");
  const templates = createTemplates(env.document);
  const roots = { client: createNode(), shared: createNode(), server: createNode() };
  let started = false;
  let greetings = 0;
  let newest = page.build;

  function report(error: unknown) {
    log.error(error, !events.emit("error", error));
  }

  function upgrade(build: string, required: boolean) {
    if (build === newest && !required) return;
    newest = build;
    events.emit("upgrade", { build_id: build, required });
  }

  const socket = createSocket(env, page.socketUrl, {
    hello: () => hello(page.build, clientId, greetings ? streams.positions() : null),
    connecting: () => socketEvents.emit(greetings ? "reconnecting" : "connecting"),
    message(message) {
      try {
        hear(message);
      } catch (error) {
        raise(error);
      }
    },
    busy: () => calls.busy(),
    closed(code, reason, final, wasOpen) {
      calls.closed(final);
      if (final) {
        log.error("The connection was ended for good: " + code + " " + reason, true);
        if (code === 4001) upgrade(newest, true);
      }
      if (wasOpen || final) socketEvents.emit("disconnect", { code, reason, final });
    },
  });

  const calls = createCalls(env, page, socket, log, raise, report);
  const actions = createActions(calls.make);

  function hear(message: ServerMessage) {
    if (loader.develop) loader.develop(message, page, socket.send);
    switch (message[0]) {
      case 0: {
        const [, , build, recovered, positions, options = {}] = message;
        const again = greetings++ > 0;
        streams.welcome(recovered, positions || []);
        socket.welcomed(options);
        calls.opened();
        socketEvents.emit("connect");
        if (again) {
          socketEvents.emit("reconnect");
          events.emit("recovered", recovered === true);
        }
        // Who works on the app brings the page up to date.
        if (!options.develops) upgrade(build, false);
        init();
        break;
      }
      case 1:
        calls.succeeded(message[1], message[2]);
        break;
      case 2:
        if (message[2] === "stale_client") upgrade(newest, true);
        calls.failed(message[1], new SSError(message[2], message[3], !!message[4], message[5]));
        break;
      case 3: {
        const names = ([] as string[]).concat(message[1]);
        if (!streams.arrived(names, ([] as number[]).concat(message[2]))) break;
        const channel = names.find((name) => name[0] === "#");
        const heard = events.emit(message[3], message[4], channel && channel.slice(1));
        log.event(message[3], message[4], heard);
        break;
      }
      case 4:
        streams.joined(message[1], message[2], message[3]);
        break;
      case 5:
        streams.left(message[1]);
        break;
      case 6:
        redeem(env, page.sessionUrl, message[1]).catch(report);
        break;
      case 7:
        socket.leave(message[1]);
        break;
      case 8:
        upgrade(message[1], false);
        break;
      case 10:
        log.server(message[1], message[2]);
    }
  }

  function init() {
    if (started) return;
    started = true;
    if (page.init) loader.whenStarted(runInit);
  }

  function runInit() {
    const app = loader.trees.client ? loader.peek(loader.trees.client.app) : undefined;
    // It was said when it failed; what is left of it would only fail once more.
    if (app && app.failed) return;
    const run = findInit(roots.client, env.window);
    try {
      if (run) run();
    } catch (error) {
      raise(error);
    }
  }

  loader.watch(() => grow(loader, roots, actions.create));
  whenLoaded(env, socket.connect);

  return {
    client: roots.client,
    server: roots.server,
    shared: roots.shared,
    get templates() {
      return templates();
    },
    events,
    socket: {
      on: socketEvents.on,
      once: socketEvents.once,
      off: socketEvents.off,
      get state() {
        return socket.state();
      },
      connect: socket.connect,
      disconnect: socket.disconnect,
    },
    config: page.config,
    env: page.env,
    get started() {
      return started;
    },
    with: actions.with,
  };
}
