
exports.authenticate = true

{format} = require 'money'
store = require 'store'

exports.actions =

  all: (cb) -> cb store.all()

  balance: (id, cb) ->
    id = parseInt(id.id ? id, 10)
    store.find id, (err, account) ->
      return cb {error: err} if err
      cb format account.balance
