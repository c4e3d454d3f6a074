places = require 'places'

exports.actions =
  lookup: (coords, cb) ->
    {latitude, longitude} = coords
    nearest = null
    for own name, [lat, lon] of places.known
      distance = Math.hypot lat - latitude, lon - longitude
      nearest = {name, distance} if not nearest? or distance < nearest.distance
    cb address: nearest.name
