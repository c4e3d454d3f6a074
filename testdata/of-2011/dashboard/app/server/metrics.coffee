
values = {cpu: 10, memory: 42}
labels = cpu: 'CPU', memory: 'Memory'

reading = (id) -> values[id] = (values[id] + 7) % 100

setInterval(->
  for own id of values
    SS.publish.broadcast 'sample', {id, value: reading(id)}
, 200)

exports.actions =

  list: (cb) ->
    cb ({id, label: labels[id], value} for own id, value of values)

  # nested
  admin:
    reset: (id, cb) ->
      return cb false unless id of values
      values[id] = 0
      SS.publish.broadcast 'sample', {id, value: 0}
      cb true
