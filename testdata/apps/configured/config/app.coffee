{ title } = require './names'

exports.config =
  name: 'configured'
  client:
    title: title
    features: { search: true, upload: false }
    list: [1, 2]
  app:
    owner: process.env.OWNER or 'nobody'
