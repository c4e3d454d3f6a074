exports.actions = {
  session(cb) { cb(1); },
  deep: { prototype(cb) { cb(1); } },
  user: { fine(cb) { cb(1); } },
};
