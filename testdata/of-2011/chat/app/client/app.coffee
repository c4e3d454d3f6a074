# Says whether the server can be reached
tell = (text) -> $('#message').text text

SS.socket.on 'disconnect', -> tell 'The line is dead'
SS.socket.on 'connect',    -> tell 'The line is open'

exports.init = ->

  SS.server.app.init (response) ->
    tell response
    $('#signIn').show()

  SS.client.chat.start()
  SS.client.people.list.watch()
