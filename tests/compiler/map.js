// Where source maps lead: for each word given, the line of the source that its place in the code is from.
// Arguments: the code, its map, the words.
const fs = require("node:fs");
const { SourceMap } = require("node:module");
const [, , code, map, ...words] = process.argv;
const text = fs.readFileSync(code, "utf8");
const json = JSON.parse(fs.readFileSync(map, "utf8"));
const trace = new SourceMap(json);
for (const word of words) {
  const before = text.slice(0, text.indexOf(word)).split("\n");
  const entry = trace.findEntry(before.length - 1, before.at(-1).length);
  const lines = json.sourcesContent[json.sources.indexOf(entry.originalSource)].split("\n");
  console.log(`${word} => ${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1} ${lines[entry.originalLine].trim()}`);
}
