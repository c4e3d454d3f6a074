# What browsers may call: SS.server.app.say 'hello', (answer) -> …
exports.actions =

  say: (text, cb) ->
    problem = SS.shared.rules.message text
    return cb {problem} if problem
    SS.publish.broadcast 'message', {from: @session.id[0..3], text: text.trim()}
    cb {sent: true}
