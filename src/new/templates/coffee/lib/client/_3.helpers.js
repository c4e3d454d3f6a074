// Helpers that apps of 2011 had on strings and lists. Files whose names begin with `_` are left out: to use them, rename this
// file to 3.helpers.js. They are not enumerable, so loops over a list's keys do not meet them, and take no name that is there.
(function () {
  function add(type, name, helper) {
    if (name in type.prototype) return;
    Object.defineProperty(type.prototype, name, { value: helper, configurable: true, writable: true });
  }

  function both(name, ofText, ofList) {
    add(String, name, ofText);
    add(Array, name, ofList);
  }

  // Each once, the first kept.
  both(
    'unique',
    function () { return Array.from(new Set(this)).join(''); },
    function () { return Array.from(new Set(this)); }
  );

  both(
    'last',
    function () { return this.charAt(this.length - 1); },
    function () { return this[this.length - 1]; }
  );

  // At most so long; a text that is cut ends in three dots.
  both(
    'truncate',
    function (most) { return this.length > most ? this.slice(0, Math.max(0, most - 3)) + '...' : String(this); },
    function (most) { return this.slice(0, most); }
  );

  // One of them, or one of the first few.
  function any(range) {
    return this[Math.floor(Math.random() * (range || this.length))];
  }
  both('random', any, any);

  // Of a text: whether it holds that very character.
  function holds(one) {
    return Array.prototype.indexOf.call(this, one) >= 0;
  }
  both('include', holds, holds);
  both('contains', holds, holds);

  add(Array, 'any', function () { return this.length > 0; });

  // Addresses in a text as links. It makes no text safe: escape it first.
  add(String, 'sanitize', function () {
    return this
      .replace(/\b(https?|ftp):\/\/[^\s<>"']+/g, '<a href="$&" target="_blank">$&</a>')
      .replace(/\b[\w.+-]+@[\w-]+(\.[\w-]+)+\b/g, '<a href="mailto:$&">$&</a>');
  });
})();
