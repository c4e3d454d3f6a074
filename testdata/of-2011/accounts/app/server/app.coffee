
exports.actions =

  init: (cb) -> cb user: @session.user_id

  login: (params, cb) ->
    @session.authenticate 'custom_auth', params, (response) =>
      @session.setUserId response.user_id if response.success
      cb response

  logout: (cb) ->
    @session.user.logout(cb)

  square: (number, cb) -> cb(number * number)
