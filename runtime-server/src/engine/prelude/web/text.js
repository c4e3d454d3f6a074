// UTF-8 in and out (WHATWG Encoding).
(function (ss) {
  "use strict";
  const { TypeError, RangeError, String, hidden, apply, charCodeAt, getter, getPrototypeOf } = ss.p;
  const { Uint8Array, ArrayBuffer, DataView } = globalThis;
  const { isView } = ArrayBuffer;
  const { fromCharCode } = String;
  const typed = getPrototypeOf(Uint8Array.prototype);
  const bufferOf = getter(typed, "buffer"), offsetOf = getter(typed, "byteOffset"), lengthOf = getter(typed, "byteLength");
  const { slice } = Uint8Array.prototype;

  /** The bytes of a buffer or of a view on one, without a copy. */
  ss.bytesOf = (data) => {
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    if (!isView(data)) throw new TypeError("an ArrayBuffer or a view on one is wanted");
    if (data instanceof DataView) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return new Uint8Array(apply(bufferOf, data, []), apply(offsetOf, data, []), apply(lengthOf, data, []));
  };

  /** The code point at a place of well-formed or broken text. */
  function pointAt(text, i) {
    const unit = charCodeAt(text, i);
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    const next = unit < 0xdc00 && i + 1 < text.length ? charCodeAt(text, i + 1) : 0;
    return next >= 0xdc00 && next <= 0xdfff ? 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00) : 0xfffd;
  }

  const size = (point) => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);

  function write(bytes, at, point, length) {
    if (length === 1) {
      bytes[at] = point;
      return;
    }
    for (let i = length - 1; i > 0; i--) {
      bytes[at + i] = 0x80 | (point & 0x3f);
      point >>= 6;
    }
    bytes[at] = (length === 2 ? 0xc0 : length === 3 ? 0xe0 : 0xf0) | point;
  }

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      text = `${text}`;
      const bytes = new Uint8Array(text.length * 3);
      const { written } = fill(text, bytes);
      return apply(slice, bytes, [0, written]);
    }
    encodeInto(text, bytes) {
      if (!(bytes instanceof Uint8Array)) throw new TypeError("encodeInto wants a Uint8Array");
      return fill(`${text}`, bytes);
    }
  }

  function fill(text, bytes) {
    const room = bytes.length;
    let written = 0;
    let read = 0;
    while (read < text.length) {
      const point = pointAt(text, read);
      const length = size(point);
      if (written + length > room) break;
      write(bytes, written, point, length);
      written += length;
      read += point > 0xffff ? 2 : 1;
    }
    return { read, written };
  }

  const UTF8 = /^\s*(?:unicode-1-1-utf-8|unicode11utf8|unicode20utf8|utf-8|utf8|x-unicode20utf8)\s*$/i;
  const { test } = UTF8;
  const isUtf8 = (label) => apply(test, UTF8, [label]);

  class TextDecoder {
    #fatal;
    #ignoreBOM;
    #started = false;
    #rest = new Uint8Array(0);
    constructor(label = "utf-8", options = undefined) {
      if (!isUtf8(`${label}`)) throw new RangeError(`the encoding '${label}' is not known: only utf-8 is`);
      this.#fatal = Boolean(options?.fatal);
      this.#ignoreBOM = Boolean(options?.ignoreBOM);
    }
    get encoding() {
      return "utf-8";
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#ignoreBOM;
    }
    decode(data = undefined, options = undefined) {
      const stream = Boolean(options?.stream);
      let bytes = data === undefined ? new Uint8Array(0) : ss.bytesOf(data);
      if (this.#rest.length > 0) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
      }
      const { text, used } = decode(bytes, stream, this.#fatal);
      const first = !this.#started && text.length > 0;
      this.#rest = apply(slice, bytes, [used]);
      this.#started = stream && (this.#started || first);
      return first && !this.#ignoreBOM && charCodeAt(text, 0) === 0xfeff ? ss.p.textSlice(text, 1) : text;
    }
  }

  /** Text of bytes; in the middle of a stream an unfinished end is left over. */
  function decode(bytes, stream, fatal) {
    let text = "";
    let units = [];
    let at = 0;
    const length = bytes.length;
    const put = (unit) => {
      units[units.length] = unit;
      if (units.length >= 4096) {
        text += apply(fromCharCode, undefined, units);
        units = [];
      }
    };
    while (at < length) {
      const lead = bytes[at];
      if (lead < 0x80) {
        put(lead);
        at++;
        continue;
      }
      const wanted = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
      let point = wanted === 1 ? lead & 0x1f : wanted === 2 ? lead & 0xf : lead & 0x7;
      let lower = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      let upper = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      let got = 0;
      while (got < wanted && at + got + 1 < length) {
        const next = bytes[at + got + 1];
        if (next < lower || next > upper) break;
        point = (point << 6) | (next & 0x3f);
        lower = 0x80;
        upper = 0xbf;
        got++;
      }
      if (wanted > 0 && got === wanted) {
        if (point > 0xffff) {
          put(0xd800 + ((point - 0x10000) >> 10));
          put(0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
          put(point);
        }
      } else {
        if (wanted > 0 && stream && at + got + 1 >= length) break;
        if (fatal) throw new TypeError("the bytes are not UTF-8");
        put(0xfffd);
      }
      at += got + 1;
    }
    return { text: text + apply(fromCharCode, undefined, units), used: at };
  }

  ss.bytesToHex = (bytes) => {
    const digits = "0123456789abcdef";
    let text = "";
    for (let i = 0; i < bytes.length; i++) text += digits[bytes[i] >> 4] + digits[bytes[i] & 15];
    return text;
  };
  ss.hexInto = (text, bytes) => {
    const value = (code) => (code < 58 ? code - 48 : code - 87);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (value(charCodeAt(text, 2 * i)) << 4) | value(charCodeAt(text, 2 * i + 1));
    return bytes;
  };

  for (const made of [TextEncoder, TextDecoder]) hidden(globalThis, made.name, made);
});
