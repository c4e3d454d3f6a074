
window.C = SS.client

exports.init = ->
  C.layout.navbar.draw()
  C.models.metric.bootstrap ->
    new C.views.dashboard.panel.Panel(collection: C.models.metric.all).render()
    C.router.start()
    $('body').attr 'data-ready', 'yes'
