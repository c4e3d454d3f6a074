import type { Point } from '/shared/geometry';

const home: Point = { x: 1, y: 2 };

export async function init(): Promise<void> {
  const put: { name: string; user: string | null } = await SS.server.map.put('home', home);
  SS.server.map.put('home', home, (answer) => console.log(answer.user?.length, put.name));

  const near: string[] = await SS.server.map.near(home);
  SS.server.map.near(home, (names) => console.log(names.length + near.length));
  SS.server.map.near(home, 5, { timeout_ms: 500 }, (names) => console.log(names.length));
  const distance: number = await SS.with({ volatile: true }, SS.server.map.moved)('home');

  await SS.server.map.layers.show(3);
  const off: boolean = await SS.server.map.layers['switch-off'](3);
  const name: string = await SS.server.admin.users.name(7);
  const guess: string = await SS.server.admin.users.guess(name);

  SS.client.sideBar.show(distance, off);
  SS.client['side-bar'].show(SS.shared.geometry.distance(home, home), guess === name);
  const { Marker } = await import('./map/marker');
  SS.client.map?.marker?.place(new Marker(home));

  SS.events.on('marker:put', (marker, channel) => console.log(marker.at.x, channel?.length));
  SS.events.on('anything', (params) => console.log(params.whatever));
  SS.events.on('error', (error) => console.log(error.code, error.retryable));
  SS.socket.on('disconnect', ({ code, final }) => console.log(code.toFixed(), final));

  document.title = SS.config.title + SS.config.zoom.max.toFixed() + (SS.config.zoom.trial ?? false) + SS.config.layers[0].length;
  document.body.innerHTML = SS.templates['people-card'].trim() + SS.env;
}
