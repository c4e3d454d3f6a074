exports.config =
  log:
    level: 1
  redis:
    db_index: 2
