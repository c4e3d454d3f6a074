exports.authenticate = true

notes = {}

exports.actions =
  add: (text, cb) ->
    list = notes[@session.user_id] ||= []
    list.push text
    SS.publish.broadcast 'tick', list.length
    cb list
