import Card from './card.vue';
import area from './area.wasm';
import text from './text.md';
exports.all = [Card, area, text];
