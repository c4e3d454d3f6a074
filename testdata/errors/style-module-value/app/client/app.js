const styles = require('./card.module.css');

exports.init = () => {
  document.body.className = styles.card;
};
