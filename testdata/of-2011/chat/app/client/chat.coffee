me = null

append = (message) ->
  $("#templates-message").tmpl(message).appendTo '#chatlog'

exports.start = ->

  SS.events.on 'newMessage', append

  $('#signIn').live 'submit', ->
    name = $(@).find('input[name=name]').val()
    SS.server.app.signIn name, (ok) =>
      return $('#error').text("'#{name}' is no name").show() unless ok
      me = name
      $(@).hide()
      $('#demo').show().find('input').focus()
      SS.server.app.history (lines) ->
        append line for line in lines
        $('body').attr 'data-ready', 'yes'
    false

  $('#demo').submit ->
    text = $('#myMessage').val()
    if text?.length > 0
      SS.server.app.say text, (success) -> $('#myMessage').val '' if success
    false

exports.me = -> me
