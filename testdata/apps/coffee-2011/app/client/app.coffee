# Bind to events
SS.socket.on 'disconnect', -> showStatus 'SocketStream server is down :-('
SS.socket.on 'connect', -> showStatus 'SocketStream server is up :-)'

# This method is called automatically when the websocket connection is established. Do not rename/delete
exports.init = ->
  SS.client.navbar.draw()
  SS.server.app.init (response) -> showStatus response
  exports.square 25

exports.square = (number) ->
  SS.server.app.square number, (response) ->
    console.log "#{number} squared is #{response}"

# Private: nobody outside of this file sees it.
showStatus = (text) ->
  document.getElementById('message')?.textContent = text
