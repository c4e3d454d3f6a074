exports.call = (request, response, next) ->
  require('my_middleware').call request, response, next
