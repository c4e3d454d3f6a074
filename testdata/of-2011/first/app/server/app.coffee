exports.actions =

  init: (userAgent, cb) ->
    cb "Hello #{userAgent.length > 0}"

  login: (params, cb) ->
    @getSession (session) ->
      session.authenticate 'custom_auth', params, (response) ->
        session.setUserId(response.user_id) if response.success
        cb {id: session.user.id, uid: session.user_id, info: response.info}

  square: (number, cb) -> cb(number * number)
