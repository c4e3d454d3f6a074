// ---- Dart Sass: where its imports are found ----

const SHEETS = ['.scss', '.sass', '.css'];

/** The importer of one job: files of the app's folders of styles and of packages, each look-up noted in `files`. */
function sassImporter(files) {
  const { fileURLToPath, pathToFileURL } = require('url');
  const roots = ['app/css', 'lib/css', 'node_modules'].map((folder) => path.join(ROOT, folder));

  const isFile = (file) => {
    if (!files.mayRead(file)) {
      files.refused = files.refused || refusal(file, files);
      return false;
    }
    let is = false;
    try {
      is = real.statSync(file).isFile();
    } catch (_) {
      // It is not there.
    }
    if (!is) files.missed.add(file);
    return is;
  };
  const exact = (file) =>
    [path.join(path.dirname(file), '_' + path.basename(file)), file].find(isFile) || null;
  const first = (bases, endings) => {
    for (const base of bases) for (const ending of endings) {
      const found = exact(base + ending);
      if (found) return found;
    }
    return null;
  };
  const find = (base, fromImport) => {
    const imports = fromImport ? ['.import.scss', '.import.sass', '.import.css'] : [];
    if (SHEETS.indexOf(path.extname(base)) >= 0) {
      const bare = base.slice(0, -path.extname(base).length);
      return (fromImport && exact(bare + '.import' + path.extname(base))) || exact(base);
    }
    return first([base], imports.concat(SHEETS)) || first([path.join(base, 'index')], imports.concat(SHEETS));
  };
  const inPackage = (name, fromImport) => {
    const found = find(path.join(ROOT, 'node_modules', name), fromImport);
    if (found) return found;
    const [, packageName, below] = /^((?:@[^/]+\/)?[^/]+)\/?(.*)$/.exec(name) || [];
    if (!packageName) return null;
    const folder = path.join(ROOT, 'node_modules', packageName);
    const manifest = path.join(folder, 'package.json');
    if (!isFile(manifest)) return null;
    files.read.add(manifest);
    let described;
    try {
      const text = real.readFileSync(manifest, 'utf8');
      files.note(manifest, text);
      described = JSON.parse(text);
    } catch (_) {
      return null;
    }
    const key = below ? './' + below : '.';
    const named = exported(described.exports, key) || (!below && (described.sass || described.style));
    if (typeof named !== 'string' || SHEETS.indexOf(path.extname(named)) < 0) return null;
    const file = path.join(folder, named);
    return isBelow(file, folder) && isFile(file) ? file : null;
  };

  return {
    canonicalize(url, { fromImport }) {
      let file = null;
      if (url.startsWith('file:')) {
        try {
          file = find(fileURLToPath(url), fromImport);
        } catch (_) {
          return null;
        }
      } else if (/^(~(?!\/)|pkg:)/.test(url)) {
        file = inPackage(url.replace(/^(~|pkg:)/, ''), fromImport);
      } else if (!/^[a-z][a-z0-9+.-]*:/i.test(url) && !url.startsWith('/')) {
        for (const root of roots) {
          file = find(path.join(root, url), fromImport);
          if (file) break;
        }
        file = file || inPackage(url, fromImport);
      }
      return file && pathToFileURL(file);
    },
    load(url) {
      const file = fileURLToPath(url);
      files.guard(file);
      const ending = path.extname(file);
      const syntax = ending === '.sass' ? 'indented' : ending === '.css' ? 'css' : 'scss';
      const contents = real.readFileSync(file, 'utf8');
      files.note(file, contents);
      return { contents, syntax, sourceMapUrl: url };
    },
  };
}

/** What a package's `exports` has for a key, under the conditions of styles. */
function exported(exports, key) {
  const target = (found, star) => {
    if (typeof found === 'string') return found.split('*').join(star);
    if (Array.isArray(found)) return found.map((one) => target(one, star)).find(Boolean) || null;
    if (!found || typeof found !== 'object') return null;
    for (const condition of ['sass', 'style', 'default', 'import']) {
      const file = condition in found && target(found[condition], star);
      if (file) return file;
    }
    return null;
  };
  if (!exports) return null;
  const hasKeys = typeof exports === 'object' && Object.keys(exports).some((name) => name[0] === '.');
  if (!hasKeys) return key === '.' ? target(exports, '') : null;
  for (const ending of [''].concat(SHEETS)) {
    const name = key + ending;
    if (exports[name]) return target(exports[name], '');
    for (const pattern of Object.keys(exports)) {
      const [head, tail] = pattern.split('*');
      if (tail === undefined || !name.startsWith(head) || !name.endsWith(tail) || name.length < pattern.length) continue;
      return target(exports[pattern], name.slice(head.length, name.length - tail.length));
    }
  }
  return null;
}
