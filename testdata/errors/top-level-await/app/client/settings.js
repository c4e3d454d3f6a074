export { settings } from './fetched';
