// The wire protocol, version 1: the book's "The wire protocol". Messages are arrays, the first element is the kind.

/** Of this protocol. */
export const VERSION = 1;

/** Name of the websocket sub-protocol. */
export const SUBPROTOCOL = "ss.1";

/** Where the client is in a stream: stream, epoch, offset. */
export type Position = [string, string | number, number];

/** What the server tells of the connection. */
export interface WelcomeOptions {
  heartbeat_ms?: number;
  message_bytes?: number;
  connection?: number | string;
  /** Whether the app is being worked on. */
  develops?: boolean;
}

/** Messages of the server, by kind. */
export type ServerMessage =
  | [0, number, string, boolean | null, Position[], WelcomeOptions?]
  | [1, number, unknown?]
  | [2, number, string, string, (0 | 1)?, string?]
  | [3, string | string[], number | number[], string, unknown?]
  | [4, string, string | number, number]
  | [5, string]
  | [6, string]
  | [7, number]
  | [8, string]
  | [9]
  | [10, number, string]
  | [11 | 12 | 13, unknown];

/** The first message of a connection. */
export function hello(build: string, clientId: string, positions: Position[] | null): string {
  return JSON.stringify([0, VERSION, build, clientId, positions]);
}

/** A call, and whether it was sent before. */
export interface Call {
  id: number;
  action: string;
  /** JSON text already, so that it is written once however often it is sent. */
  args: string;
  resent: boolean;
  options: { silent?: boolean };
}

/** A call as it is sent. */
export function callText({ id, action, args, resent, options }: Call): string {
  return "[1," + id + "," + JSON.stringify(action) + "," + args + (options.silent ? "," + (resent ? 1 : 0) + ",1]" : resent ? ",1]" : "]");
}

/** Asks for a pong. */
export function ping(): string {
  return "[2]";
}

/** In development, what a page has to say: at level 0 an error, at 1 a warning. */
export function said(level: number, text: string): string {
  return JSON.stringify([3, level, text]);
}

/** Reads a message; nothing when it is none. Its kind may be one that this version does not know. */
export function decode(text: unknown): ServerMessage | null {
  try {
    const message = JSON.parse(text as string);
    return Array.isArray(message) ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}
