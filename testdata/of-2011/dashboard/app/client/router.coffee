
class Router extends Backbone.Router
  routes:
    '':            'home'
    'metric/:id':  'metric'
    'admin/*path': 'admin'

  home: -> C.layout.navbar.select 'home'
  metric: (id) ->
    C.layout.navbar.select id
    $('#chosen').text C.models.metric.all.get(id)?.get('label') ? 'none'
  admin: (path) -> C.admin['user-list'].show path

exports.start = ->
  exports.router = new Router
  Backbone.history.start()
