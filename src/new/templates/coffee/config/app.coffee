# What is not here has its default: `ssbuild config` shows every key.
exports.config =
  name: '{{name}}'
  client:
    # SS.config in browsers.
    title: '{{name}}'
    # Of node_modules, before all else in browsers.
    libs: ['jquery/dist/jquery.min.js', 'jquery-templates/jquery.tmpl.min.js']
