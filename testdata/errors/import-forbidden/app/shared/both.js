import { only } from '/client/only';
import 'node:crypto';
export const x = only;
