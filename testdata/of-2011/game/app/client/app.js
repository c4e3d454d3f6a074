
// the game
var board;
var turn = 'x', mine = null;

exports.init = function() {
  board = new SS.shared.game.board.Board(SS.shared.rules.size);
  SS.client.render.draw(board);

  $('#board td').live('click', function() {
    var cell = parseInt($(this).attr('data-cell'));
    if (!board.free(cell)) return;
    SS.server.game.play(cell, function(result) {
      if (result.error) $('#status').text(result.error);
    });
  });

  SS.events.on('played', function(move) {
    board.play(move.cell, move.who);
    SS.client.render.draw(board);
    if (SS.client.render.winner(board)) $('#status').text(move.who + ' wins');
  });

  SS.server.game.join(function(who, options) {
    mine = who;
    $('#me').text('You are ' + who);
    $('body').attr('data-ready', 'yes');
  });
}
