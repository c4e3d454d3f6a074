const { Pool } = require("pg");
const Redis = require("ioredis");

exports.init = async function () {
  exports.pool = new Pool({ host: process.env.TEST_PG_FOLDER, user: "tester", database: "postgres", max: 4 });
  exports.redis = new Redis(process.env.TEST_REDIS_SOCKET);
  await exports.pool.query("create table if not exists notes (id serial primary key, text text, at timestamptz default now())");
  await exports.redis.set("started", "yes");
};
