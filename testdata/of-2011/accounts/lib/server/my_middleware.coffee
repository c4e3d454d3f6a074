
url = require('url')

exports.call = (request, response, next) ->
  {pathname, query} = url.parse request.url, true
  if pathname is '/ping'
    response.writeHead 200, 'Content-Type': 'text/plain'
    response.end "pong #{query.n ? ''}"
  else
    response.setHeader 'X-App', 'admin'
    next()
