export { subscription } from './notifications.js';
