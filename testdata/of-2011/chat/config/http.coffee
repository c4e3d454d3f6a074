exports.call = (request, response, next) ->
  # Nothing to do yet
  next()
