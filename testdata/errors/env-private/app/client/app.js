const key = require('./deep/key');

exports.init = function () {
  const { HOME, NODE_ENV } = process.env;
  console.log(key.secret, HOME, NODE_ENV, import.meta.env.DATABASE_URL, import.meta.env.MODE);
  console.log(process.env.SS_PUBLIC_NOT_SET, process.env.NODE_ENV);
};
