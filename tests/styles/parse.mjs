// CSS as plain data: for each selector in its context, what it declares in the end. Enough of a parser for what esbuild prints.

/** Context and selector, joined, to a map of property to value. */
export function declarations(css) {
  const found = new Map();
  rules(css, { at: 0 }, '', found);
  return found;
}

function rules(css, position, context, found) {
  while (position.at < css.length) {
    skipSpace(css, position);
    if (css[position.at] === '}' || position.at >= css.length) {
      position.at += 1;
      return;
    }
    const head = until(css, position, '{};').trim();
    const end = css[position.at];
    position.at += 1;
    if (end !== '{') {
      if (head.startsWith('@')) add(found, `${context}${head}`, '', '');
      continue;
    }
    if (/^@(media|supports|layer|container|-moz-document)/.test(head)) rules(css, position, `${context}${condition(head)}|`, found);
    else if (/^@(-webkit-|-moz-|-o-)?keyframes/.test(head)) rules(css, position, `${context}${head}|`, found);
    else block(css, position, context, head, found);
  }
}

function block(css, position, context, head, found) {
  const own = new Map();
  while (position.at < css.length && css[position.at] !== '}') {
    const declaration = until(css, position, ';}');
    if (css[position.at] === ';') position.at += 1;
    const colon = declaration.indexOf(':');
    if (colon < 0) continue;
    const property = declaration.slice(0, colon).trim();
    const name = property.startsWith('--') ? property : property.toLowerCase();
    const value = declaration.slice(colon + 1).trim();
    // A later declaration wins, but not over one that is important.
    if (own.has(name) && /!important$/.test(own.get(name)) && !/!important$/.test(value)) continue;
    own.delete(name);
    own.set(name, value);
  }
  position.at += 1;
  const isFont = head === '@font-face';
  for (const selector of isFont ? [`@font-face ${own.get('font-family')} ${own.get('src')}`] : split(head, ',')) {
    // The universal selector before a pseudo-class or element may be left out.
    const plain = selector.trim().replace(/(^|[\s>+~,(])\*(?=:)/g, '$1').replace(/:nth-child\(1\)/g, ':first-child');
    for (const [property, value] of own) add(found, `${context}${plain}`, property, value);
  }
}

function add(found, key, property, value) {
  if (!found.has(key)) found.set(key, new Map());
  const own = found.get(key);
  if (own.has(property) && /!important$/.test(own.get(property)) && !/!important$/.test(value)) return;
  own.delete(property);
  if (property) own.set(property, value);
}

/** `(width>=576px)` and `(min-width:576px)` say the same. */
function condition(head) {
  return head
    .replace(/\s*([:,()<>=])\s*/g, '$1')
    .replace(/\(width>=([^)]+)\)/g, '(min-width:$1)')
    .replace(/\(width<=([^)]+)\)/g, '(max-width:$1)')
    .replace(/ and\(/g, ' and (')
    .replace(/@media\(/, '@media (')
    .replace(/@supports\(/, '@supports (');
}

/** The text up to one of these characters, outside of strings, brackets and comments. */
function until(css, position, ends) {
  const start = position.at;
  let depth = 0;
  while (position.at < css.length) {
    const c = css[position.at];
    if (c === '\\') position.at += 1;
    else if (c === '"' || c === "'") {
      position.at += 1;
      while (position.at < css.length && css[position.at] !== c) position.at += css[position.at] === '\\' ? 2 : 1;
    } else if (c === '(' || c === '[') depth += 1;
    else if (c === ')' || c === ']') depth -= 1;
    else if (depth === 0 && ends.includes(c)) break;
    position.at += 1;
  }
  return css.slice(start, position.at);
}

/** A list's members. */
export function split(text, separator) {
  const parts = [];
  const position = { at: 0 };
  while (position.at <= text.length) {
    parts.push(until(text, position, separator));
    position.at += 1;
  }
  return parts;
}

function skipSpace(css, position) {
  for (;;) {
    while (/\s/.test(css[position.at] ?? '')) position.at += 1;
    if (!css.startsWith('/*', position.at)) return;
    const end = css.indexOf('*/', position.at + 2);
    position.at = end < 0 ? css.length : end + 2;
  }
}
