/*
 * dom: the few things this app wants of the page. Templates are filled with escaped text only,
 * so nothing a person typed is ever read as HTML.
 */
var dom = (function () {
  'use strict';

  var ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

  function escape(text) {
    return String(text === undefined || text === null ? '' : text).replace(/[&<>"']/g, function (sign) {
      return ENTITIES[sign];
    });
  }

  /** The template with each {{key}} replaced by the escaped value. */
  function fill(template, data) {
    return template.replace(/\{\{\s*(\w+)\s*\}\}/g, function (_, key) {
      return escape(Object.prototype.hasOwnProperty.call(data, key) ? data[key] : '');
    });
  }

  /** The first element of the filled template. */
  function make(template, data) {
    var holder = document.createElement('template');
    holder.innerHTML = fill(template, data || {});
    return holder.content.firstElementChild;
  }

  function one(selector, within) {
    var found = (within || document).querySelector(selector);
    if (!found) throw new Error('the page has no ' + selector);
    return found;
  }

  function all(selector, within) {
    return Array.prototype.slice.call((within || document).querySelectorAll(selector));
  }

  /** Calls the handler with the element inside `root` that matches and holds the event's target. */
  function on(root, type, selector, handler) {
    root.addEventListener(type, function (event) {
      var element = event.target instanceof Element ? event.target.closest(selector) : null;
      if (element && root.contains(element)) handler(element, event);
    });
  }

  function replace(parent, children) {
    parent.textContent = '';
    children.forEach(function (child) {
      parent.appendChild(child);
    });
  }

  return { escape: escape, fill: fill, make: make, one: one, all: all, on: on, replace: replace };
})();
