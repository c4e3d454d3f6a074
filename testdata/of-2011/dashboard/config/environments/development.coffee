exports.config =
  log:
    level: 4
