exports.other = ->
