
class MetricView extends Backbone.View
  tagName: 'li'
  events:
    'click .reset': 'reset'
  initialize: ->
    @model.bind 'change:value', @render, @
  render: =>
    $(@el).html $('#dashboard-widgets-metric').tmpl
      id: @model.id, label: @model.get('label'), value: SS.shared.stats.format(@model.get('value'))
      average: SS.shared.stats.format(@model.average() or 0)
    @
  reset: ->
    SS.server.metrics.admin.reset @model.id, (ok) => $(@el).addClass 'was-reset' if ok

class exports.Panel extends Backbone.View
  el: '#panel'
  render: ->
    @collection.each (model) =>
      view = new MetricView model: model
      $(@el).append view.render().el
    @
