import $ from 'jquery';
import { jQuery } from 'jquery';
import { equal, done } from './check';

export function init() {
  equal($ === jQuery, true);
  $('<ul><li>a<li>b</ul>').appendTo('body').on('click', 'li', (event) => $(event.target).addClass('hit'));
  $('li').last().trigger('click');
  equal($('li.hit').text(), 'b');
  $.when($.Deferred().resolve(3)).then((n) => {
    equal(n, 3);
    done();
  });
}
