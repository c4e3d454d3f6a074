// Random values and digests (W3C Web Cryptography).
(function (ss) {
  "use strict";
  const { TypeError, hidden, freeze, textSlice } = ss.p;
  const { host, bytesOf, bytesToHex, hexInto } = ss;
  const { Uint8Array, DOMException, Float32Array, Float64Array, DataView, ArrayBuffer } = globalThis;
  const { isView } = ArrayBuffer;
  const QUOTA = 65_536;

  const subtle = freeze({
    async digest(algorithm, data) {
      const name = `${typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm}`.toUpperCase();
      const hex = host.digest(name, bytesToHex(bytesOf(data)));
      if (typeof hex !== "string") throw new DOMException(`the algorithm '${name}' is not known`, "NotSupportedError");
      return hexInto(hex, new Uint8Array(hex.length / 2)).buffer;
    },
  });

  const crypto = {
    subtle,
    getRandomValues(array) {
      if (!isView(array) || array instanceof DataView || array instanceof Float32Array || array instanceof Float64Array) {
        throw new TypeError("getRandomValues wants an array of integers");
      }
      const bytes = bytesOf(array);
      if (bytes.length > QUOTA) throw new DOMException(`more than ${QUOTA} bytes`, "QuotaExceededError");
      hexInto(host.random(bytes.length), bytes);
      return array;
    },
    randomUUID() {
      const hex = host.random(16);
      const variant = "89ab"[hex.charCodeAt(16) & 3];
      const part = (from, to) => textSlice(hex, from, to);
      return `${part(0, 8)}-${part(8, 12)}-4${part(13, 16)}-${variant}${part(17, 20)}-${part(20, 32)}`;
    },
  };
  hidden(globalThis, "crypto", freeze(crypto));
});
