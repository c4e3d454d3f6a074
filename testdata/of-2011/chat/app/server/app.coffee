history = []

announce = ->
  SS.users.online.now (names) -> SS.publish.broadcast 'peopleChanged', names

exports.actions =

  init: (cb) ->
    @session.on 'disconnect', (session) ->
      session.user.logout -> announce()
    cb "Served by #{SS.version}"

  signIn: (name, cb) ->
    return cb false if /[^\w ]/.test(name) or name is ''
    @session.setUserId name
    @session.channel.subscribe ['lobby', "private-#{name}"]
    cb true
    announce()

  say: (text, cb) ->
    return cb false unless text.length > 0 and @session.user_id
    message = {from: @session.user_id, text, at: Number(new Date)}
    history.push message
    history.shift() while history.length > LINES
    SS.publish.channel ['lobby'], 'newMessage', message
    cb true

  history: (cb) -> cb history.slice 0
