exports.authenticate = true

exports.actions =
  yesterday: (cb) -> cb 7
