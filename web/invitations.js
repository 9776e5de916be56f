import * as api from './api.js';
import { button, empty, h, notice, put } from './dom.js';
import { t } from './i18n.js';
import { avatar } from './people.js';
import { projectHref } from './tasks.js';

const PATH = '/v1/me/invitations';

/** How many projects wait for my answer. */
export const waiting = async () => (await api.all(PATH)).length;

/** What my address is invited to. */
export async function invitationsPage() {
	const list = h('div');
	const row = ({ project, project_name: name, invited_by, role }) => {
		const path = `${PATH}/${encodeURIComponent(project)}`;
		const answer = (word, kind, act) => button(t(`invitations.${word}`), async () => {
			await act();
			dispatchEvent(new Event('count'));
		}, { class: kind, 'aria-label': `${t(`invitations.${word}`)}: ${name}` });
		return h('li.row', avatar(name, [...name][0]),
			h('div.grow', h('strong', name), h('p.hint', t('invitations.as', { name: invited_by, role: t(`role.${role}`) }))),
			h('div.actions',
				answer('accept', 'primary', async () => {
					await api.request('POST', `${path}/accept`);
					notice(t('invitations.accepted', { project: name }));
					location.assign(projectHref(project));
				}),
				answer('decline', '', async () => {
					await api.request('DELETE', path);
					await draw();
				})));
	};
	const draw = async () => {
		const waiting = await api.all(PATH);
		put(list, waiting.length === 0 ? empty(t('invitations.emptyTitle'), t('invitations.empty')) : h('ul.rows', waiting.map(row)));
	};
	await draw();
	return { title: t('nav.invitations'), node: h('div.narrow', h('h1', { tabindex: -1 }, t('nav.invitations')), list) };
}
