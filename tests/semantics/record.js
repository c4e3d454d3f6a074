// What cases log with, the same in Node and in a browser: `log`, `wait`, and one case recorded.
let lines = [];
let waited = [];

function show(value, depth = 0) {
  switch (typeof value) {
    case 'string':
      return depth ? JSON.stringify(value) : value;
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return String(value);
    case 'function':
      return /^class\b/.test(Function.prototype.toString.call(value)) ? '[class]' : '[function]';
    case 'object':
      break;
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
  if (value === null) return 'null';
  if (depth > 5) return '…';
  const inner = (item) => show(item, depth + 1);
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, n) => (n in value ? inner(item) : '-')).join(', ')}]`;
  }
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name} ${inner([...value])}`;
  if (value instanceof RegExp || value instanceof Date) return String(value);
  const keys = Object.keys(value).filter((key) => key !== 'module.exports');
  return `{${keys.map((key) => `${JSON.stringify(key)}: ${inner(value[key])}`).join(', ')}}`;
}

globalThis.log = (...values) => lines.push(values.map((value) => show(value)).join(' '));
globalThis.wait = (promise) => waited.push(promise);

globalThis.recordCase = async (start) => {
  lines = [];
  waited = [];
  try {
    await start();
    for (const promise of waited) await promise;
  } catch (error) {
    log('throws', error && error.name);
  }
  return lines.join('\n');
};
