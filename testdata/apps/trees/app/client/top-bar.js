module.exports = { show: (n) => '<b>' + n + '</b>' };
