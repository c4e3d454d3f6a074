const x = await fetch('/x');
export const y = x;
