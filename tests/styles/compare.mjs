// Compares a stylesheet that ssbuild made with what Dart Sass and esbuild make of the same source.
// node compare.mjs PACKAGE OURS.css: prints each difference that is not explained below; exits with 1 when there are any.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import * as sass from 'sass';
import { declarations } from './parse.mjs';
import { longhands } from './values.mjs';

const [, , name, ours] = process.argv;
const packages = path.join(path.dirname(fileURLToPath(import.meta.url)), 'node_modules');
// The browsers of `baseline widely available`, as ssbuild asks for them.
const target = ['chrome107', 'edge107', 'firefox104', 'safari16', 'ios16'];

const quiet = { logger: { warn() {}, debug() {} }, loadPaths: [packages], charset: false };
const sources = {
  bootstrap: () => sass.compileString('@import "bootstrap/scss/bootstrap";', quiet).css,
  bulma: () => sass.compileString('@use "bulma/sass";', quiet).css,
  tailwind: () => fs.readFileSync(path.join(packages, 'tailwindcss/dist/tailwind.css'), 'utf8'),
};

const normal = (css) => esbuild.transformSync(css, { loader: 'css', minify: true, legalComments: 'none', target, logLevel: 'error' }).code;
const flat = (css) =>
  new Map([...declarations(normal(css))].map(([key, own]) => [key, longhands(own)]));

const theirs = flat(sources[name]());
const mine = flat(fs.readFileSync(ours, 'utf8'));

/** A colour's channels. */
const channels = (value) => value.match(/#[0-9a-f]{8}/g)?.map((color) => color.match(/[0-9a-f]{2}/g).map((byte) => parseInt(byte, 16)));
const near = (a, b) => {
  const [one, other] = [channels(a), channels(b)];
  return !!one && one.length === other?.length && one.every((color, at) => color.every((byte, n) => Math.abs(byte - other[at][n]) <= 1));
};

/** Why a difference is none, in the order of asking: property, their value, ours, the selector. */
const EXPLAINED = [
  ['a prefix that no browser of the targets needs is left out', (property, their, our) => our === undefined && /^-(webkit|moz|ms|o)-/.test(property)],
  ['a selector that no browser of the targets knows', (property, their, our, key) => /:-(moz-placeholder|ms-input-placeholder|ms-placeholder-shown)/.test(key)],
  ['a prefix that a browser of the targets needs is added', (property, their) => their === undefined && /^-(webkit|moz)-/.test(property)],
  ['`border` sets the colour too, to what it is anyway', (property, their, our) => their === undefined && our === 'currentColor' && /^border-.*-color$/.test(property)],
  ['`color-scheme` is known to older browsers by variables', (property, their) => their === undefined && /^--lightningcss-/.test(property)],
  ['grass rounds the channels of mixed colours, Dart Sass since 1.79 does not', (property, their, our) => !!their && !!our && near(their, our)],
  ['the same in colours inside of a data URL', (property, their, our) => /url\(data:.*rgb%28/.test(their) && /url\(data:/.test(our)],
  ['two stops of a gradient at one place are written as one', (property, their, our) => /gradient\(/.test(their) && /gradient\(/.test(our)],
  ['the parts of a sum stand in another order', (property, their, our) => [...`${their}`].sort().join('') === [...`${our}`].sort().join('')],
  ['rules that differ in `:-webkit-autofill` are joined with `:is`', (property, their, our, key) => /autofill/.test(key)],
  ['rules that differ in `:placeholder-shown` are joined with `:is`', (property, their, our, key) => /placeholder-shown/.test(key)],
];

const reasons = new Map();
const unexplained = [];
for (const key of new Set([...theirs.keys(), ...mine.keys()])) {
  const [all, own] = [theirs.get(key) ?? new Map(), mine.get(key) ?? new Map()];
  for (const property of new Set([...all.keys(), ...own.keys()])) {
    const [their, our] = [all.get(property), own.get(property)];
    if (their === our) continue;
    const reason = EXPLAINED.find(([, holds]) => holds(property, their, our, key));
    if (reason) reasons.set(reason[0], (reasons.get(reason[0]) ?? 0) + 1);
    else unexplained.push(`${key} { ${property}: ${their} → ${our} }`);
  }
}
console.log(`${name}: ${theirs.size} selectors`);
for (const [reason, count] of reasons) console.log(`${count} times: ${reason}`);
for (const difference of unexplained) console.log(difference);
process.exitCode = unexplained.length ? 1 : 0;
