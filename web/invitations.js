import * as api from './api.js';
import { button, empty, h, row } from './dom.js';
import { t } from './i18n.js';
import { projectHref } from './tasks.js';

const PATH = '/v1/me/invitations';

/** How many projects wait for my answer. */
export const waiting = async () => (await api.all(PATH)).length;

/** What my address is invited to. */
export async function invitationsPage() {
	const invitations = await api.all(PATH);
	const line = ({ project, project_name: name, invited_by, role }) => {
		const answer = (word, method, end, then, kind) => button(t(`invitations.${word}`), async () => {
			await api.request(method, `${PATH}/${project}${end}`);
			dispatchEvent(new Event('count'));
			then();
		}, { class: kind, 'aria-label': `${t(`invitations.${word}`)}: ${name}` });
		return row(h('strong', name), t('invitations.as', { name: invited_by, role: t(`role.${role}`) }),
			answer('accept', 'POST', '/accept', () => location.assign(projectHref(project)), 'primary'),
			answer('decline', 'DELETE', '', () => dispatchEvent(new Event('hashchange'))));
	};
	return {
		title: t('nav.invitations'),
		node: h('div.narrow', h('h1', t('nav.invitations')),
			invitations.length > 0 ? h('ul.rows', invitations.map(line)) : empty(t('invitations.none'))),
	};
}
