
window.app =

  init: ->
    SS.server.app.init navigator.userAgent, (response) ->
      $('#message').text response
      app.geocode.show()

    SS.events.on 'tick', (n) -> $('#tick').text n

    SS.server.app.login {name: 'Jo'}, (r) ->
      $('#who').text JSON.stringify r
      SS.server.notes.add 'first', (list) ->
        $('#notes').text list.join(',')
        $('body').attr 'data-ready', 'yes'

  square: (number) ->
    SS.server.app.square number, (response) -> console.log "#{number} squared is #{response}"
