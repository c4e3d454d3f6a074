export const signal = { name: 'lamp' };
