
exports.init = ->
  SS.server.app.init (state) ->
    if state.user then SS.client.accounts.show() else $('#login').show()
    $('body').attr 'data-ready', 'yes'

  $('#login').bind 'submit', (e) ->
    e.preventDefault()
    params = {}
    params[name] = $("#login [name=#{name}]").val() for name in ['username', 'password']
    SS.server.app.login params, (response) ->
      if response.success
        $('#login').hide()
        SS.client.accounts.show()
      else
        $('#error').html response.info

  $('#logout').click ->
    SS.server.app.logout -> $('#accounts').empty(); $('#login').show()
