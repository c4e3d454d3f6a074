import { square } from '../../shared/math';
import type { Place } from './types';

export function find(name: string): Place {
  return { name, size: square(3) };
}
