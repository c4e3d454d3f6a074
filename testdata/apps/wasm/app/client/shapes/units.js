export const scale = (area) => area * 10;
