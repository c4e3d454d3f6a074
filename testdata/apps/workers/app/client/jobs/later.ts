export const later = 'loaded';
