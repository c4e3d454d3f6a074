import { x } from './a';
export const y = x;
