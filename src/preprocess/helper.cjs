'use strict';
// Runs in Node.js and compiles CoffeeScript, Stylus, Pug and Jade with the app's own packages, one file after the other:
// a line of JSON comes in on stdin, a line of JSON goes out on stdout. The working folder is the app's.
// Plain enough that an old Node.js can read it, and say how old it is.
const fs = require('fs');
const path = require('path');
const { createHash } = require('crypto');
const { format } = require('util');

const ROOT = process.cwd();
// Begins each answer, since packages print too.
const MARK = '\u001essbuild ';

const write = process.stdout.write.bind(process.stdout);
// What packages print is no answer.
process.stdout.write = function () {
  return process.stderr.write.apply(process.stderr, arguments);
};
const say = (message) => write(MARK + JSON.stringify(message) + '\n');

// ---- What a job may read, and what it did read ----

const real = {
  readFileSync: fs.readFileSync,
  openSync: fs.openSync,
  realpathSync: fs.realpathSync,
  existsSync: fs.existsSync,
  statSync: fs.statSync,
};
// The running job's files; null while a package is being loaded.
let files = null;

const isBelow = (file, folder) => file === folder || file.startsWith(folder + path.sep);
const inPackages = (file) => file.split(path.sep).indexOf('node_modules') >= 0;
const shown = (file) => {
  const relative = path.relative(ROOT, file).split(path.sep).join('/');
  const packages = relative.indexOf('node_modules/');
  return relative.startsWith('../') && packages >= 0 ? relative.slice(packages) : relative;
};

class Files {
  constructor(folders) {
    this.folders = folders;
    this.read = new Set();
    // Looked for in vain: when one of them appears, the result may differ.
    this.missed = new Set();
    // Absolute path to the hash of what was read; an empty one when it is not known.
    this.hashes = new Map();
    this.refused = null;
  }

  mayRead(file) {
    if (inPackages(file)) return true;
    const isHere = (at) => this.folders.some((folder) => isBelow(at, path.join(ROOT, folder)));
    if (!isHere(file)) return false;
    let target;
    try {
      target = real.realpathSync(file);
    } catch (_) {
      return true; // Not there: reading it says so.
    }
    const folders = this.folders.concat('node_modules').map((folder) => {
      try {
        return real.realpathSync(path.join(ROOT, folder));
      } catch (_) {
        return path.join(ROOT, folder);
      }
    });
    return inPackages(target) || folders.some((folder) => isBelow(target, folder));
  }

  guard(named) {
    if (typeof named !== 'string') {
      if (typeof named === 'number') return;
      named = named instanceof URL ? require('url').fileURLToPath(named) : String(named);
    }
    const file = path.resolve(named);
    if (!this.mayRead(file)) {
      this.refused = refusal(file, this);
      throw new Error(this.refused);
    }
    this.read.add(file);
  }

  miss(named) {
    if (typeof named !== 'string') return;
    const file = path.resolve(named);
    this.read.delete(file);
    this.missed.add(file);
  }

  note(named, content) {
    const file = path.resolve(named instanceof URL ? require('url').fileURLToPath(named) : String(named));
    const hash = content === null ? '' : createHash('sha256').update(content).digest('hex');
    // A file that changed between two readings has no hash.
    this.hashes.set(file, this.hashes.has(file) && this.hashes.get(file) !== hash ? '' : hash);
  }
}

const refusal = (file, of) => '`' + shown(file) + '` is not in `' + of.folders.concat('node_modules').join('`, `') + '`';

for (const name of ['readFileSync', 'openSync']) {
  fs[name] = function (file) {
    const running = files;
    if (running) running.guard(file);
    let result;
    try {
      result = real[name].apply(fs, arguments);
    } catch (error) {
      if (running && error.code === 'ENOENT') running.miss(file);
      throw error;
    }
    if (running && typeof file !== 'number') running.note(file, name === 'readFileSync' ? result : null);
    return result;
  };
}

fs.existsSync = function (file) {
  const is = real.existsSync.apply(fs, arguments);
  if (!is && files) files.miss(file);
  return is;
};
fs.statSync = function (file) {
  try {
    const found = real.statSync.apply(fs, arguments);
    if (!found && files) files.miss(file);
    return found;
  } catch (error) {
    if (files && error.code === 'ENOENT') files.miss(file);
    throw error;
  }
};

const loadedFreely = (load) => {
  const running = files;
  files = null;
  try {
    return load();
  } finally {
    files = running;
  }
};
// A package that loads a part of itself late does not read a file of the job.
const extensions = require('module')._extensions;
for (const ending of ['.js', '.json', '.node']) {
  const load = extensions[ending];
  extensions[ending] = function (module, file) {
    return loadedFreely(() => load(module, file));
  };
}

// ---- The app's packages ----

const loaded = new Map();

/** The first of these packages that the app has; `wanted` is the one to install when it has none. */
function packageOf(names, wanted) {
  const require_ = require('module').createRequire(path.join(ROOT, 'package.json'));
  for (const name of names) {
    if (!loaded.has(name)) {
      let file;
      try {
        file = loadedFreely(() => require_.resolve(name));
      } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
        loaded.set(name, null);
      }
      if (file) {
        try {
          loaded.set(name, { name, code: loadedFreely(() => require_(name)) });
        } catch (error) {
          throw Object.assign(new Error('the package `' + name + '` cannot be loaded: ' + firstLine(error)), { broken: true });
        }
      }
    }
    if (loaded.get(name)) return loaded.get(name);
  }
  throw Object.assign(new Error('missing'), { missing: wanted || names[0] });
}

// ---- The languages ----

const LANGUAGES = {
  coffee(job) {
    const { code } = packageOf(['coffeescript', 'coffee-script']);
    files = new Files([]);
    const made = code.compile(job.text, {
      bare: true,
      header: false,
      sourceMap: true,
      literate: /\.(litcoffee|coffee\.md)$/.test(job.file),
      filename: job.file,
    });
    // CoffeeScript before 1.6 knows no maps.
    if (typeof made === 'string') return { text: made };
    const map = typeof made.v3SourceMap === 'string' ? JSON.parse(made.v3SourceMap) : made.v3SourceMap;
    return { text: made.js, mappings: map.mappings };
  },

  stylus(job) {
    const { code } = packageOf(['stylus']);
    const folders = ['app/css', 'lib/css'];
    const paths = folders.concat('node_modules').map((folder) => path.join(ROOT, folder));
    const sheet = code(job.text, { filename: path.join(ROOT, job.file), paths, compress: false, cache: false });
    try {
      sheet.use(packageOf(['nib']).code());
    } catch (error) {
      if (!error.missing) throw error;
    }
    sheet.set('sourcemap', { comment: false, basePath: ROOT });
    files = new Files(folders);
    // Stylus before 0.20 only calls back, and at once.
    let text;
    sheet.render((error, css) => {
      if (error) throw error;
      text = css;
    });
    // Stylus before 0.47 knows no maps.
    const map = sheet.sourcemap;
    return map ? { text, mappings: map.mappings, sources: map.sources.map((file) => shown(path.resolve(file))) } : { text };
  },

  sass(job) {
    const { code } = packageOf(['sass-embedded', 'sass'], 'sass-embedded');
    const { fileURLToPath, pathToFileURL } = require('url');
    files = new Files(['app/client', 'app/css', 'app/shared', 'lib/css']);
    const importer = sassImporter(files);
    const made = loadedFreely(() =>
      code.compileString(job.text, {
        syntax: job.file.endsWith('.sass') ? 'indented' : 'scss',
        url: pathToFileURL(path.join(ROOT, job.file)),
        importer,
        importers: [importer],
        style: 'expanded',
        charset: false,
        sourceMap: true,
        verbose: true,
        // What is only outdated compiles; packages are full of it.
        logger: { warn: (said, { deprecation }) => deprecation || console.warn(said), debug() {} },
      }),
    );
    const { mappings, sources } = made.sourceMap;
    const file = (url) => (url.startsWith('file:') ? shown(fileURLToPath(url)) : job.file);
    return { text: made.css, mappings, sources: sources.map(file) };
  },

  pug(job) {
    const { name, code } = packageOf(job.file.endsWith('.jade') ? ['jade', 'pug'] : ['pug'], 'pug');
    const views = path.join(ROOT, 'app/views');
    const options = { filename: path.join(ROOT, job.file), basedir: views, compileDebug: true, pretty: false };
    if (name === 'pug') options.plugins = [{ resolve: resolveView }];
    files = new Files(['app/views']);
    const render = code.compile(job.text, options);
    return { text: render(job.locals ? locals(job.locals) : {}) };
  },
};

/** As Pug does it, but a file without an ending may be a `.jade` too: Pug has put its own ending on it. */
function resolveView(named, source, options) {
  if (named[0] !== '/' && !source) throw new Error('the "filename" option is required to use includes and extends');
  const file = path.join(named[0] === '/' ? options.basedir : path.dirname(source.trim()), named);
  const jade = file.replace(/\.pug$/, '.jade');
  return !fs.existsSync(file) && fs.existsSync(jade) ? jade : file;
}

/** What pages may name. The marks stand for what is known only when everything else is done. */
function locals(given) {
  return Object.assign({}, given, {
    SocketStream: '\ufdd0ss-head\ufdd1',
    asset: (file) => '\ufdd0ss-asset:' + encodeURIComponent(String(file)).replace(/'/g, '%27') + '\ufdd1',
  });
}

// ---- Errors, with their places ----

const firstLine = (error) => String((error && error.message) || error).split('\n')[0];

/** Length in characters of so many UTF-16 units at the start of a line. */
const characters = (line, units) => Array.from(line.slice(0, units)).length;

function failure(error, job) {
  if (error.missing) return { missing: error.missing };
  let message = String((error && error.message) || error);
  let at = { file: path.join(ROOT, job.file) };
  let placed;
  if (error.sassMessage) {
    const { start, end, url } = error.span;
    message = error.sassMessage;
    const file = url && String(url).startsWith('file:') ? require('url').fileURLToPath(String(url)) : at.file;
    const oneLine = end && end.line === start.line;
    at = { file, line: start.line + 1, column: start.column + 1, units: oneLine ? end.column - start.column : 1 };
  } else if (error.location) {
    const { first_line: line, first_column: column, last_line: lastLine, last_column: last } = error.location;
    const oneLine = lastLine === undefined || lastLine === line;
    at = { file: at.file, line: line + 1, column: column + 1, units: oneLine ? last - column + 1 : 1 };
  } else if (/^PUG:/.test(error.code)) {
    message = error.msg;
    at = { file: error.filename || at.file, line: error.line, column: error.column };
  } else if ((placed = /^([^\n]+?):(\d+)(?::(\d+))?\n[^]*?\n\n([^]*)$/.exec(message))) {
    // FILE:LINE[:COLUMN], the lines around it, what is wrong: Stylus, Jade, and pages that fail while they are rendered.
    at = { file: placed[1], line: +placed[2], column: placed[3] && +placed[3] };
    message = placed[4];
  } else if ((placed = /\n\s+at ([^\n]+) line (\d+)\s*$/.exec(message))) {
    at = { file: placed[1], line: +placed[2] };
  }
  if (files && files.refused && message.indexOf(files.refused) < 0) message = files.refused;
  // What the Stylus of 2011 trips over when there is no such file.
  if (job.language === 'stylus' && /^The "path" argument must be/.test(message)) message = 'failed to locate @import file';
  message = message.replace(/\n\s+at [^]*$/, '').trim().split(ROOT + path.sep).join('').split(ROOT).join('.');
  const answer = { message, refused: !!(files && files.refused), broken: !!error.broken };
  if (error instanceof RangeError && /call stack/.test(message)) answer.deep = true;
  return Object.assign(answer, place(at, job));
}

/** A place with the line's own text, its column and length in characters, both from 1. */
function place(at, job) {
  const file = path.isAbsolute(at.file) ? shown(at.file) : at.file;
  let text = job.text;
  if (file !== job.file) {
    try {
      text = real.readFileSync(path.resolve(ROOT, at.file), 'utf8');
    } catch (_) {
      return { file };
    }
  }
  if (!at.line) return { file };
  const lines = text.split(/\r\n?|\n/);
  let line = Math.min(at.line, lines.length);
  // The end of the file is shown as the end of its last line.
  const ended = line > 1 && lines[line - 1].trim() === '' && lines.slice(line - 1).every((rest) => rest.trim() === '');
  while (ended && line > 1 && lines[line - 1].trim() === '') line -= 1;
  const source = lines[line - 1];
  const indent = source.length - source.trimStart().length;
  let start = ended ? source.trimEnd().length : at.column ? at.column - 1 : indent;
  start = Math.max(0, Math.min(start, source.length));
  const length = ended ? 1 : at.units || (at.column ? 1 : source.trim().length || 1);
  return {
    file,
    line,
    column: characters(source, start) + 1,
    length: Math.max(1, Array.from(source.slice(start, start + length)).length),
    source,
  };
}

// ---- The conversation ----

function answer(job) {
  const warnings = [];
  const warn = console.warn;
  console.warn = (...said) => warnings.push(format(...said).replace(/^Warning: /, '').split(ROOT + path.sep).join(''));
  files = null;
  let result;
  try {
    result = { done: LANGUAGES[job.language](job) };
  } catch (error) {
    result = { failed: failure(error, job) };
  }
  console.warn = warn;
  const own = path.join(ROOT, job.file);
  const list = (set) => Array.from(set).filter((file) => file !== own && !/\.(c|m)?js$/.test(file)).map(shown).sort();
  const seen = files || new Files([]);
  files = null;
  const files_hashed = Array.from(seen.hashes).filter(([file]) => file !== own);
  return Object.assign({ files_read: list(seen.read), files_missed: list(seen.missed), files_hashed, warnings }, result);
}

say({ version: process.versions.node });

let waiting = [];
process.stdin.on('data', (bytes) => {
  let rest = bytes;
  let end;
  while ((end = rest.indexOf(10)) >= 0) {
    waiting.push(rest.subarray(0, end));
    const line = Buffer.concat(waiting).toString('utf8');
    waiting = [];
    rest = rest.subarray(end + 1);
    say(answer(JSON.parse(line)));
  }
  if (rest.length) waiting.push(rest);
});
process.stdin.on('end', () => process.exit(0));
