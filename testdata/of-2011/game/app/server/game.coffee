
util = require 'util'

board = new SS.shared.game.board.Board 3
players = {}
next = 'x'

exports.actions =

  join: (cb) ->
    who = if players.x then 'o' else 'x'
    players[who] = @session.id
    @session.on 'disconnect', -> delete players[who]
    cb who

  play: (cell, cb) ->
    who = next
    try
      board.play cell, who
    catch e
      return cb error: e.message
    next = if who is 'x' then 'o' else 'x'
    SS.publish.broadcast 'played', {cell, who}
    console.log util.inspect board.cells
    cb {}
