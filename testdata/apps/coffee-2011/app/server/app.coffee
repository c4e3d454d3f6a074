# Server-side code

exports.actions =

  init: (cb) ->
    cb "SocketStream #{SS.env} is up and running. This message was sent over websockets, so everything is working OK."

  # Quick example
  square: (number, cb) ->
    cb number * number

  circle: (radius, cb) ->
    cb SS.shared.calculate.rounded SS.shared.calculate.circumference radius

  greet: (name, {formal} = {}, cb) ->
    greeting = if formal then 'Good day' else 'Hi'
    cb "#{greeting}, #{name}"
