exports.init = ->
