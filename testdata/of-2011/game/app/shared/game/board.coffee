
class Board

  constructor: (@size) ->
    @cells = (null for i in [0...@size * @size])

  free: (cell) -> @cells[cell] is null

  play: (cell, who) ->
    throw new Error("Cell #{cell} is taken") unless @free cell
    @cells[cell] = who

  winner: ->
    for [a, b, c] in SS.shared.rules.lines
      return @cells[a] if @cells[a] and @cells[a] is @cells[b] is @cells[c]
    null

exports.Board = Board
