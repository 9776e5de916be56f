export { invitationsPage, waiting } from './projects.js';
