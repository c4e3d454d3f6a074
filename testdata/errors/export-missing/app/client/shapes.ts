import { Round, type Square, circle } from './round';

export interface Shape { round: Round; square: Square }
export { Round, circle };
export const area = (shape: Shape): number => circle(shape);
