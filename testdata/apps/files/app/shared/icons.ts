export { default as icon } from '../client/images/logo.svg';
