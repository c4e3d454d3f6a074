
draw = (names) ->
  ul = $('#people').empty()
  for name in names.sort()
    ul.append "<li>#{name}</li>"

exports.watch = ->
  SS.events.on 'peopleChanged', (names) -> draw(names)
  SS.server.people.online (names) -> draw(names)
