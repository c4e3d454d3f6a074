// Reads [[name, strict, code], …] and prints each code that the engine cannot parse.
const { readFileSync } = require("node:fs");
const { Script } = require("node:vm");

for (const [name, strict, code] of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  try {
    new Script((strict ? '"use strict";(' : "(") + code + ")");
  } catch (error) {
    console.log(`${name}: ${error.message}`);
  }
}
