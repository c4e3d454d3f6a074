
class Metric extends Backbone.Model
  defaults:
    label: 'unknown'
    value: 0

  constructor: (attributes, options) ->
    super attributes, options
    @samples = []

  push: (value) =>
    @samples.push value
    @samples.shift() if @samples.length > 10
    @set value: value

  average: -> SS.shared.stats.mean @samples

class Metrics extends Backbone.Collection
  model: Metric
  comparator: (m) -> m.get 'label'

exports.Metric = Metric
exports.all = new Metrics

exports.bootstrap = (cb) ->
  SS.server.metrics.list (list) ->
    exports.all.reset list
    SS.events.on 'sample', ({id, value}) -> exports.all.get(id)?.push value
    cb()
