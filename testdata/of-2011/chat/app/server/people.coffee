
exports.actions =
  online: (cb) ->
    SS.users.online.now cb
