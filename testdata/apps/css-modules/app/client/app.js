import './reset.css';
import styles, { card } from './card.module.scss';
import { primary } from './theme.module.scss';

exports.init = function () {
  document.body.className = [styles.card, card, styles['card-title'], primary].join(' ');
  import('./later.js');
};
