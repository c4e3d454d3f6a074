# Called once, when the connection is there and the page is loaded.
exports.init = ->
  $('#state').text "You are #{SS.config.title}'s guest"
  SS.events.on 'message', (message) ->
    $('#messages-line').tmpl(message).appendTo '#messages'
  $('#say').submit (event) ->
    event.preventDefault()
    field = $('input[name=text]', this)
    problem = SS.shared.rules.message field.val()
    return $('#state').text problem if problem
    SS.server.app.say field.val(), -> field.val ''
