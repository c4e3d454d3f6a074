// What a build says of its HTTP API is a valid OpenAPI document, and says it of every action.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SSBUILD = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/ssbuild');

const FILES = {
  'app/client/app.js': 'exports.init = () => {};',
  'app/css/app.css': 'body { margin: 0 }',
  'app/views/app.html': '<!doctype html><html><head><SocketStream></head><body></body></html>',
  'app/server/app.js': `exports.actions = {
    none() {}, square(n, cb) { cb(n * n); }, async many(first, ...rest) { return [first, rest]; },
    'top-level'(a, b, c) { return [a, b, c]; }, $dollar() {}, 'übung'(a) { return a; },
  };`,
  'app/server/geo/code.js': 'exports.authenticate = true; exports.actions = { lookup(place) { return place; }, deep: { er() {} } };',
};

function build() {
  if (!existsSync(SSBUILD)) throw new Error(`${SSBUILD} is missing: run \`cargo build --workspace\``);
  const app = mkdtempSync(join(tmpdir(), 'ssbuild-openapi-'));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(app, name)), { recursive: true });
    writeFileSync(join(app, name), text);
  }
  execFileSync(SSBUILD, ['build', app, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const manifest = JSON.parse(readFileSync(join(app, 'dist/manifest.json'), 'utf8'));
  const document = JSON.parse(readFileSync(join(app, 'dist/builds', manifest.build_id, 'openapi.json'), 'utf8'));
  rmSync(app, { recursive: true });
  return { manifest, document };
}

const { manifest, document } = build();

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const result = await validator.validate(document);
  assert.deepEqual(result.errors ?? [], []);
  assert.equal(result.valid, true);
  assert.equal(validator.version, '3.1');
});

test('every action has its path, its parameters and its guard', () => {
  const actions = Object.entries(manifest.api.server);
  assert.equal(actions.length, 8);
  assert.equal(Object.keys(document.paths).length, actions.length);
  for (const [path, action] of actions) {
    const item = document.paths['/api/' + path.split('/').map((part) => encodeURIComponent(part).replaceAll('%24', '$')).join('/')];
    assert.ok(item, path);
    assert.equal(Boolean(item.post.security), action.guard, path);
    assert.equal(Boolean(item.get), action.params.length <= 1 || action.rest, path);
  }
  const many = document.paths['/api/app/many'].post.requestBody.content['application/json'].schema.anyOf[0];
  assert.deepEqual(many.prefixItems, [{ title: 'first' }]);
});

test('every operation has an id of its own', () => {
  const ids = Object.values(document.paths).flatMap((item) => Object.values(item).map((operation) => operation.operationId));
  assert.equal(new Set(ids).size, ids.length);
});
