// The tables of the Rust sources that the book repeats, read from the text of their macros.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `codes!` of the diagnostics: name, severity, about. */
export function diagnosticCodes(root) {
  const body = macroBody(read(root, 'diagnostic/src/code.rs'), 'codes');
  return rows(body, /^\w+ "([a-z-]+)" (Error|Warning|Note) "((?:[^"\\]|\\.)*)",$/, ([name, severity, about]) => ({ name, severity, about }));
}

/** `error_codes!` of the engine: name, retryable, status, about. */
export function errorCodes(root) {
  const body = macroBody(read(root, 'runtime-server/src/engine/mod.rs'), 'error_codes');
  return rows(body, /^\w+ "([a-z_]+)" (true|false) (\d{3}) "((?:[^"\\]|\\.)*)",$/, ([name, retryable, status, about]) => ({
    name,
    retryable: retryable === 'true',
    status: Number(status),
    about,
  }));
}

/** `limits!`: name, default (as it stands in the source), about, what happens at it. */
export function limits(root) {
  const body = macroBody(read(root, 'runtime-server/src/limits.rs'), 'limits').replace(/,\n +at /g, ', at ');
  const text = '"((?:[^"\\\\]|\\\\.)*)"';
  const row = new RegExp(`^(\\w+): \\w+ = ([^,]+), ${text}, at ${text};$`);
  return rows(body, row, ([name, value, about, at]) => ({ name, value: product(value), about, at }));
}

/** Every key of the configuration with its default, as dotted paths; those of `limits` are in [`limits`]. */
export function configKeys(root) {
  const text = read(root, 'runtime-server/src/config.rs');
  const structs = new Map();
  for (const [, body] of text.matchAll(/^section! \{\n([\s\S]*?)^\}\n/gm)) {
    const [, name, fields] = body.match(/^    (\w+) \{\n([\s\S]*?)^    \}/m) ?? fail(`a section! in config.rs: ${body.slice(0, 60)}`);
    structs.set(name, parseFields(fields, /^(\w+): (.+?) = (.+),$/));
  }
  for (const [, name, fields] of text.matchAll(/^pub struct (\w+) \{\n([\s\S]*?)^\}\n/gm)) {
    structs.set(name, parseFields(fields, /^pub (\w+): (.+?),$/));
  }
  const keys = [];
  const walk = (struct, prefix) => {
    for (const field of structs.get(struct) ?? fail(`struct ${struct} in config.rs`)) {
      const name = `${prefix}${field.name}`;
      if (field.type === 'Limits') continue;
      if (structs.has(field.type)) walk(field.type, `${name}.`);
      else keys.push({ name, value: shown(field), about: field.about });
    }
  };
  walk('Config', '');
  return keys;
}

/** What Autobahn's test suite found, by group of cases. */
export function autobahn(root) {
  const about = {
    1: 'framing', 2: 'pings and pongs', 3: 'reserved bits', 4: 'opcodes', 5: 'fragmentation', 6: 'UTF-8', 7: 'closing',
    9: 'messages of up to 16 MiB, and many', 10: 'automatic fragmentation',
  };
  const { cases } = JSON.parse(read(root, 'conformance/autobahn.json'));
  return Object.entries(about).map(([group, what]) => {
    const outcomes = Object.entries(cases).filter(([id]) => id.startsWith(`${group}.`)).map(([, outcome]) => outcome);
    const count = (...wanted) => outcomes.filter((outcome) => wanted.includes(outcome)).length;
    return [group, what, outcomes.length, count('OK', 'NON-STRICT', 'INFORMATIONAL'), count('NON-STRICT'), count('INFORMATIONAL')];
  });
}

/** `cases!` of the wire protocol's suite: number, title and the sentence that it proves. */
export function wireCases(root) {
  const body = macroBody(read(root, 'runtime-server/tests/wire.rs'), 'cases');
  return rows(body, /^(W\d{3}) (?:Socket|Both|Own) \w+::\w+, "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)";$/, ([number, title, sentence]) => [number, title, sentence]);
}

function read(root, file) {
  return readFileSync(join(root, file), 'utf8');
}

/** What stands between the braces of the call `name! { … }`. */
function macroBody(text, name) {
  const match = text.match(new RegExp(`^${name}! \\{\\n([\\s\\S]*?)^\\}`, 'm'));
  return match ? match[1] : fail(`${name}!`);
}

/** Every line that is not blank or a comment must be a row, so that a new form in the source is noticed. */
function rows(body, pattern, make) {
  const lines = body.split('\n').map((line) => line.trim()).filter((line) => line && !line.startsWith('//'));
  return lines.map((line) => make((line.match(pattern) ?? fail(`a row of the form ${pattern}: ${line}`)).slice(1)));
}

/** Fields with the doc comment above each. */
function parseFields(text, pattern) {
  const fields = [];
  let about = [];
  // Not a key that a file can have.
  let hidden = false;
  for (const line of text.split('\n').map((each) => each.trim()).filter(Boolean)) {
    if (line.startsWith('///')) about.push(line.slice(3).trim());
    else if (line === '#[serde(skip)]') hidden = true;
    else if (!line.startsWith('#[')) {
      const [, name, type, value] = line.match(pattern) ?? fail(`a field of the form ${pattern}: ${line}`);
      if (!hidden) fields.push({ name, type, value, about: about.join(' ') });
      about = [];
      hidden = false;
    }
  }
  return fields;
}

/** A default as it would be written in JSON. */
function shown({ name, type, value }) {
  if (type.startsWith('Option<')) return value === undefined || value === 'None' ? 'none' : fail(`a default for ${name}`);
  if (type.includes('Map<')) return '{}';
  if (value === 'Vec::new()') return '[]';
  if (/^(true|false|[\d_]+)$/.test(value)) return value.replaceAll('_', '');
  const text = value.match(/^"(.*)"\.to_owned\(\)$/);
  if (text) return `"${text[1]}"`;
  const list = value.match(/^vec!\[(.*)\]$/);
  if (list) return `[${list[1].replaceAll('.to_owned()', '')}]`;
  const variant = value.match(/^\w+::(\w+)$/);
  if (variant) return `"${variant[1].toLowerCase()}"`;
  return fail(`how to show the default ${value} of ${name}`);
}

/** `64 * 1024` as 65536. */
function product(text) {
  return text.replaceAll('_', '').split('*').map((factor) => {
    const number = Number(factor.trim());
    return Number.isInteger(number) ? number : fail(`the number ${text}`);
  }).reduce((a, b) => a * b, 1);
}

function fail(what) {
  throw new Error(`the sources no longer read as this test expects: ${what}`);
}
