areas = ['Home', 'Products', 'Contact Us']

exports.draw = ->
  render(area) for area in areas when area isnt ''

render = (area) ->
  item = document.createElement 'li'
  item.textContent = area
  document.getElementById('navbar').appendChild item
