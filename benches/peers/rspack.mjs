// node rspack.mjs ENTRY OUT MINIFY MAPS
import { rspack } from '@rspack/core';

const [entry, out, minify, maps] = process.argv.slice(2);
const compiler = rspack({
  mode: 'production',
  entry,
  output: { path: out, filename: 'app.js', module: true, library: { type: 'module' } },
  devtool: maps === 'true' ? 'source-map' : false,
  optimization: { minimize: minify === 'true' },
  externalsType: 'module',
  externals: ({ request }, done) => (/^[./]/.test(request) ? done() : done(null, request)),
  resolve: { extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } },
  module: {
    rules: [{ test: /\.ts$/, loader: 'builtin:swc-loader', options: { jsc: { parser: { syntax: 'typescript' } } }, type: 'javascript/auto' }],
    // Types that are exported again cannot be told from values, file by file.
    parser: { javascript: { exportsPresence: false } },
  },
  performance: { hints: false },
});
const stats = await new Promise((resolve, reject) => compiler.run((error, stats) => (error ? reject(error) : resolve(stats))));
if (stats.hasErrors()) {
  console.error(stats.toString({ errors: true }));
  process.exitCode = 1;
}
