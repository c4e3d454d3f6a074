import { a } from './gone.js';
export const b = a;
