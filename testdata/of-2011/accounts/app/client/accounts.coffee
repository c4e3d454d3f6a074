
# Draws accounts
exports.show = ->
  SS.server.admin.accounts.all (list) ->
    $('#accounts').html $('#accounts-row').tmpl(list)
    SS.server.admin.accounts.balance list[0].id, (n) -> $('#balance').text n
