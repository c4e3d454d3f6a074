import * as later from './later.module.css';

export const name = later.late;
