SS.server.app.sqare(1);
SS.server.app.square(1).then(SS.client.geo.kode.find);
SS.shared.math.cube(2);
SS.server[name]();
SS.client.topBar.show();
SS.server.admin.reset.all.deep();
if (SS.client.app.init) SS.client.nowhere();
