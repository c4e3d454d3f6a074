// How far the client is in each stream, so that a reconnect can go on where the line broke.

import type { Position } from "./protocol";

/** Positions by stream. */
export interface Streams {
  /** The positions for a hello. */
  positions(): Position[];
  /** Takes the positions of a welcome. */
  welcome(recovered: boolean | null, positions: Position[]): void;
  joined(stream: string, epoch: string | number, offset: number): void;
  left(stream: string): void;
  /** Notes a publication; says whether it is new. */
  arrived(streams: string[], offsets: number[]): boolean;
}

/** No streams yet. */
export function createStreams(): Streams {
  let reached = new Map<string, { epoch: string | number; offset: number }>();

  return {
    positions() {
      const list: Position[] = [];
      reached.forEach((at, stream) => list.push([stream, at.epoch, at.offset]));
      return list;
    },
    welcome(recovered, positions) {
      const before = reached;
      reached = new Map();
      for (const [stream, epoch, offset] of positions) {
        const known = before.get(stream);
        // What was missed follows from where the client is, so that is where it stays; else it starts afresh.
        const resumes = recovered && known && known.epoch === epoch;
        reached.set(stream, { epoch, offset: resumes ? known.offset : offset });
      }
    },
    joined(stream, epoch, offset) {
      reached.set(stream, { epoch, offset });
    },
    left(stream) {
      reached.delete(stream);
    },
    arrived(streams, offsets) {
      // New in one stream is new: a stream that was joined later may be past a publication that the client never got.
      let fresh = false;
      streams.forEach((stream, i) => {
        const at = reached.get(stream);
        if (!at || offsets[i] > at.offset) fresh = true;
        if (at && offsets[i] > at.offset) at.offset = offsets[i];
      });
      return fresh;
    },
  };
}
