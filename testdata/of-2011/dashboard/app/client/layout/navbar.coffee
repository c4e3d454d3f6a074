
areas = ['home', 'cpu', 'memory']

render = (area) ->
  $('#nav').append "<li data-area='#{area}'><a href='##{if area is 'home' then '' else 'metric/' + area}'>#{_.escape?(area) or area}</a></li>"

exports.draw = ->
  render area for area in areas

exports.select = (name) ->
  $('#nav li').removeClass('selected').filter("[data-area=#{name}]").addClass 'selected'
