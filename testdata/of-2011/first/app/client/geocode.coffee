
app.geocode =
  show: -> $('#place').text(@lookup 51)
  lookup: (lat) -> "lat #{lat}"
