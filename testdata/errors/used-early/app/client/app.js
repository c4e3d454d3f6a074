const bar = SS.client.bar.make();
exports.init = () => SS.client.bar.make();
