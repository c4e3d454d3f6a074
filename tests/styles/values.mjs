// Values in one of the many forms that mean the same.
import { split } from './parse.mjs';

const SIDES = ['top', 'right', 'bottom', 'left'];
const CORNERS = ['top-left', 'top-right', 'bottom-right', 'bottom-left'];

/** What a rule declares, with shorthands taken apart where that is plain, and values normalised. */
export function longhands(own) {
  const all = new Map();
  const set = (property, value) => {
    all.delete(property);
    all.set(property, value);
  };
  for (const [property, written] of own) {
    const important = /\s*!important$/.test(written) ? '!important' : '';
    const value = normal(property, written.replace(/\s*!important$/, ''));
    const words = split(value, ' ').filter(Boolean);
    const four = [words[0], words[1] ?? words[0], words[2] ?? words[0], words[3] ?? words[1] ?? words[0]];
    const box = /^(margin|padding|inset)$/.exec(property) || /^border-(width|style|color)$/.exec(property);
    const inline = /^(margin|padding)-(inline|block)$/.exec(property);
    const border = /^border(-top|-right|-bottom|-left)?$/.exec(property);
    if (value.includes('var(')) {
      set(property, value + important);
    } else if (box && words.length <= 4) {
      SIDES.forEach((side, at) => {
        const name = property === 'inset' ? side : property.startsWith('border-') ? `border-${side}-${box[1]}` : `${property}-${side}`;
        set(name, four[at] + important);
      });
    } else if (inline && words.length <= 2) {
      ['start', 'end'].forEach((end, at) => set(`${property}-${end}`, four[at] + important));
    } else if (border && words.length <= 3) {
      const style = words.find((word) => /^(none|hidden|dotted|dashed|solid|double|groove|ridge|inset|outset)$/.test(word));
      const width = words.find((word) => /^(\d|\.|thin|medium|thick|calc)/.test(word));
      const color = words.find((word) => word !== style && word !== width);
      for (const side of border[1] ? [border[1].slice(1)] : SIDES) {
        set(`border-${side}-width`, (width ?? 'medium') + important);
        set(`border-${side}-style`, (style ?? 'none') + important);
        set(`border-${side}-color`, (color ?? 'currentColor') + important);
      }
    } else if (property === 'border-radius' && words.length <= 4 && !value.includes('/')) {
      CORNERS.forEach((corner, at) => set(`border-${corner}-radius`, four[at] + important));
    } else if (property === 'flex') {
      flex(value).forEach((part, at) => set(['flex-grow', 'flex-shrink', 'flex-basis'][at], part + important));
    } else if (property === 'container') {
      value.split('/').forEach((part, at) => set(['container-name', 'container-type'][at], part + important));
    } else if (/^(overflow|gap|grid-gap)$/.test(property) && words.length <= 2) {
      const names = property === 'overflow' ? ['overflow-x', 'overflow-y'] : ['row-gap', 'column-gap'];
      names.forEach((name, at) => set(name, four[at] + important));
    } else {
      set(property, value + important);
    }
  }
  return all;
}

/** Grow, shrink and basis (CSS Flexbox 7.1.1). */
function flex(value) {
  const known = { none: ['0', '0', 'auto'], auto: ['1', '1', 'auto'], initial: ['0', '1', 'auto'] }[value];
  if (known) return known;
  const words = split(value, ' ');
  const numbers = words.filter((word, at) => /^[\d.]+$/.test(word) && at < 2);
  const basis = words[numbers.length] ?? '0';
  return [numbers[0] ?? '1', numbers[1] ?? '1', basis === '0%' ? '0' : basis];
}

/** Words of which the order does not matter. */
const sorted = (value) => split(value, ',').map((one) => split(one, ' ').filter(Boolean).sort().join(' ')).join(',');

/** Keywords of positions as what they stand for (CSS Backgrounds 3.6). */
function positions(value) {
  return split(value, ',').map((one) => {
    const words = split(one.replace(/\)(?=[a-z])/g, ') '), ' ').filter(Boolean);
    if (words.length > 2) return words.filter((word) => word !== 'center').sort().join(' ');
    const [x, y] = /^(top|bottom)$/.test(words[0]) || /^(left|right)$/.test(words[1]) ? [words[1] ?? 'center', words[0]] : [words[0], words[1] ?? 'center'];
    const plain = (word) => ({ left: '0', top: '0', center: '50%', right: '100%', bottom: '100%' })[word] ?? word;
    return `${plain(x)} ${plain(y)}`;
  }).join(',');
}

const NAMED = { transparent: '#0000', currentcolor: 'currentColor', white: '#fff', black: '#000', red: '#f00' };

function normal(property, written) {
  let value = written.replace(/\s+/g, ' ').replace(/\s*([,()/])\s*/g, '$1').trim();
  if (property.startsWith('--')) value = value.replace(/^ /, '');
  value = value.replace(/url\((["']?)(.*?)\1\)/g, (_, quote, url) => `url(${url})`);
  value = value.replace(/\b(rgba?)\(([\d.]+%?)[, ]([\d.]+%?)[, ]([\d.]+%?)(?:[,/]([\d.]+%?))?\)/g, (_, name, r, g, b, a) =>
    hex([r, g, b].map((part) => (part.endsWith('%') ? parseFloat(part) * 2.55 : +part)), a),
  );
  value = value.replace(/\b(hsla?)\(([\d.]+)(?:deg)?[, ]([\d.]+)%[, ]([\d.]+)%(?:[,/]([\d.]+%?))?\)/g, (_, name, h, s, l, a) => hex(rgb(+h, s / 100, l / 100), a));
  value = value.replace(/#([0-9a-f]{3,8})\b/gi, (_, digits) => {
    const long = digits.length < 6 ? [...digits].map((c) => c + c).join('') : digits;
    const bytes = long.match(/../g).map((byte) => parseInt(byte, 16));
    return hex(bytes.slice(0, 3), bytes[3] === undefined ? undefined : bytes[3] / 255);
  });
  value = value.replace(/\b(transparent|currentcolor|white|black|red)\b/gi, (word) => NAMED[word.toLowerCase()]);
  value = value.replace(/#0000\b/g, '#00000000').replace(/#fff\b/g, '#ffffffff').replace(/#000\b/g, '#000000ff').replace(/#f00\b/g, '#ff0000ff');
  // Digits behind the fifth are noise of the compilers.
  value = value.replace(/(?<![\w#-])([+-]?)(\d*\.?\d+)(e-?\d+)?/g, (_, sign, digits, exponent) => {
    const number = Number(sign + digits + (exponent ?? ''));
    return String(Number(number.toPrecision(5))).replace(/^(-?)0\./, '$1.');
  });
  value = value.replace(/(?<![\w.-])(\d*\.?\d+)ms\b/g, (_, ms) => `${ms / 1000}s`.replace(/^0\./, '.'));
  if (/filter$/.test(property)) value = value.replace(/\b(grayscale|invert|sepia|opacity|brightness|contrast|saturate)\(1\)/g, '$1()');
  value = value.replace(/(?<![\w.#-])0(px|rem|em|%|s|ms|deg)?(?![\w.%])/g, '0');
  if (/^(-webkit-)?transition$/.test(property)) value = sorted(value.replace(/ ease(?=,|$)/g, '').replace(/^ease /, ''));
  if (/^(-webkit-)?animation$/.test(property)) value = sorted(value);
  if (/(position|transform-origin)$/.test(property) && property !== 'position') value = positions(value);
  if (property === 'background') value = value.replace(/^(none|transparent|#00000000|0)$/, '0 0');
  if (property === 'aspect-ratio') value = value.replace(/^(\d+)\/1$/, '$1');
  if (property === 'font-family') value = value.replace(/["']/g, '');
  if (property === 'grid-auto-flow') value = value.replace(/^row (?=dense)/, '');
  if (/^place-/.test(property)) value = value.replace(/^(\S+)$/, '$1 $1');
  if (property === 'stroke-width') value = value.replace(/^([\d.]+)$/, '$1px');
  if (property === 'flex-flow') value = value.replace(/^row (?=wrap)/, '');
  if (property === 'list-style') value = value.replace(/^disc (?=outside)/, '');
  if (property === 'transform') value = value.replace(/translate3d\(([^,]+),([^,]+),0\)/, 'translate($1,$2)');
  return value;
}

function rgb(hue, saturation, lightness) {
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    const amplitude = saturation * Math.min(lightness, 1 - lightness);
    return 255 * (lightness - amplitude * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  });
}

function hex(rgb, alpha) {
  const a = alpha === undefined ? 1 : String(alpha).endsWith('%') ? parseFloat(alpha) / 100 : +alpha;
  return '#' + [...rgb, a * 255].map((part) => Math.round(part).toString(16).padStart(2, '0')).join('');
}
