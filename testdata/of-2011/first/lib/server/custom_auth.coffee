
exports.authenticate = (params, cb) ->
  cb {success: true, user_id: 7, info: {username: params.name}}
