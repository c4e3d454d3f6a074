
function cellHtml(i, value) {
  return '<td data-cell="' + i + '" class="' + (value || 'empty') + '">' + (value || '&nbsp;') + '</td>';
}

exports.draw = function(board) {
  var html = '', i, size = SS.shared.rules.size;
  for (i = 0; i < size * size; i++) {
    if (i % size == 0) html += '<tr>';
    html += cellHtml(i, board.cells[i]);
    if (i % size == size - 1) html += '</tr>';
  }
  $('#board').html(html);
};

exports['winner'] = function(board) { return board.winner(); };
