exports.load = (name) => import('./' + name);
