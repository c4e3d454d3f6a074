{rounded} = require '/shared/calculate'

class Bar
  constructor: (@title, @width = 960) ->

  describe: => "#{@title} (#{rounded @width / 3})"

class TopBar extends Bar
  describe: -> "top: #{super()}"

exports.describe = -> new TopBar('Admin', 1000).describe()
