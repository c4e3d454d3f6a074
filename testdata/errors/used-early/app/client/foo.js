exports.x = SS.client.later.y;
