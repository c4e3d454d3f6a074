import type { Point } from '/shared/geometry';

export class Marker {
  constructor(readonly at: Point) {}
}

export function place(marker: Marker): number {
  return marker.at.x;
}
