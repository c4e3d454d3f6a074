
crypto = require 'crypto'

digest = (text) -> crypto.createHash('sha1').update(text).digest('hex')

users =
  bob: {id: 21323, password: digest 'secret'}

exports.authenticate = (params, cb) ->
  user = users[params.username]
  if user and user.password is digest params.password
    cb {success: true, user_id: user.id, info: {username: params.username}}
  else
    cb {success: false, info: 'who is that?'}
