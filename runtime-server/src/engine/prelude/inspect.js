// Values as text, for the log.
(function (ss) {
  "use strict";
  const { Map, Set, Error, Date, Number, String, apply, isArray, isPromise, ownKeys, getOwnPropertyDescriptor, getPrototypeOf, stringify, textSlice, wellFormed, freeze } =
    ss.p;
  const { forEach: mapForEach } = Map.prototype;
  const { forEach: setForEach } = Set.prototype;
  const { toISOString } = Date.prototype;
  const DEPTH = 3;
  const ITEMS = 100;
  const LENGTH = 10_000;

  function name(key) {
    return typeof key === "symbol" ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : stringify(key);
  }

  function show(value, depth, above) {
    switch (typeof value) {
      case "string":
        return depth === 0 ? value : stringify(value);
      case "bigint":
        return `${value}n`;
      case "function":
        return `[function ${value.name || "(anonymous)"}]`;
      case "object":
        break;
      default:
        return String(value);
    }
    if (value === null) return "null";
    if (value instanceof Error) return ss.describe(value).stack ?? String(value);
    if (value instanceof Date) return Number.isNaN(+value) ? "Invalid Date" : apply(toISOString, value, []);
    if (isPromise(value)) return "Promise {}";
    for (let i = 0; i < depth; i++) if (above[i] === value) return "[circular]";
    above[depth] = value;
    const deep = depth >= DEPTH;
    const parts = [];
    const put = (text) => {
      if (parts.length < ITEMS) parts[parts.length] = text;
      else parts[ITEMS] = "…";
    };
    const inner = (item) => show(item, depth + 1, above);
    if (value instanceof Map) {
      if (deep) return "[Map]";
      apply(mapForEach, value, [(item, key) => put(`${inner(key)} => ${inner(item)}`)]);
      return `Map { ${parts.join(", ")} }`;
    }
    if (value instanceof Set) {
      if (deep) return "[Set]";
      apply(setForEach, value, [(item) => put(inner(item))]);
      return `Set { ${parts.join(", ")} }`;
    }
    if (isArray(value)) {
      if (deep) return "[Array]";
      for (let i = 0; i < value.length && i <= ITEMS; i++) put(inner(value[i]));
      return parts.length ? `[ ${parts.join(", ")} ]` : "[]";
    }
    if (deep) return "[Object]";
    const keys = ownKeys(value);
    for (let i = 0; i < keys.length && i <= ITEMS; i++) {
      const property = getOwnPropertyDescriptor(value, keys[i]);
      if (!property || !property.enumerable) continue;
      put(`${name(keys[i])}: ${property.get ? "[getter]" : inner(property.value)}`);
    }
    const maker = getPrototypeOf(value)?.constructor?.name;
    const prefix = maker && maker !== "Object" ? `${maker} ` : "";
    return parts.length ? `${prefix}{ ${parts.join(", ")} }` : `${prefix}{}`;
  }

  /** What `console.log` writes for its arguments; `%s`, `%d`, `%i`, `%f`, `%j`, `%o` and `%O` are filled in. */
  ss.format = function format(args) {
    let text = "";
    let next = 0;
    try {
      if (typeof args[0] === "string" && args.length > 1) {
        next = 1;
        text = args[0].replace(/%([sdifjoO%])/g, (all, kind) => {
          if (kind === "%") return "%";
          if (next >= args.length) return all;
          const value = args[next++];
          if (kind === "s") return typeof value === "string" ? value : show(value, 1, [value]);
          if (kind === "d" || kind === "f") return String(Number(value));
          if (kind === "i") return String(Number.parseInt(value, 10));
          if (kind === "j") return stringify(value) ?? "undefined";
          return show(value, 1, []);
        });
      }
      for (; next < args.length; next++) text += `${next > 0 ? " " : ""}${show(args[next], 0, [])}`;
    } catch (error) {
      text += ` (a value that cannot be shown: ${ss.text(error)})`;
    }
    return wellFormed(text.length > LENGTH ? `${textSlice(text, 0, LENGTH)}…` : text);
  };
  freeze(ss.format);
});
