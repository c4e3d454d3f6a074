exports.determineLocation = ->
  if navigator.geolocation
    navigator.geolocation.getCurrentPosition success, error
  else
    alert 'Oh dear. Geolocation is not supported by this browser.'

success = (position) ->
  SS.server.geocode.lookup position.coords, (response) ->
    alert "You are currently at: #{response.address}"

error = -> alert 'Oh dear. Unable to find your location'
