// Runs each entry named in a file of JSON, in Node, and prints what they log as JSON.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import './record.js';

const results = [];
for (const entry of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  results.push(await recordCase(() => import(pathToFileURL(entry))));
}
process.stdout.write(JSON.stringify(results));
