import { distance } from '/shared/geometry';
import type { Point } from '/shared/geometry';

const markers = new Map<string, Point>();

export const actions = {
  // By value.
  async put(name: string, at: Point) {
    const user = this.user.loggedIn() ? this.session.user_id : null;
    markers.set(name, at);
    SS.publish.channel('map', 'marker:put', { name, at });
    return { name, user };
  },

  // By callback, with a parameter that may be left out.
  near(at: Point, radius?: number, cb?: (names: string[]) => void) {
    const inside = [...markers].filter(([, marker]) => distance(at, marker) <= (radius ?? SS.config.app.history));
    cb?.(inside.map(([name]) => name));
  },

  async moved(name: string) {
    const at: Point = await this.find(name);
    return SS.shared.geometry.distance(at, { x: 0, y: 0 });
  },

  find(name: string) {
    return markers.get(name) ?? { x: 0, y: 0 };
  },

  layers: {
    show(id: number, done: () => void) {
      this.session.attributes.layer = id;
      done();
    },
    'switch-off'(id: number) {
      return id > 0;
    },
  },
} satisfies SS.Actions<'map'>;
