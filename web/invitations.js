import * as api from './api.js';
import { button, empty, h, notice, put } from './dom.js';
import { t } from './i18n.js';
import { avatar } from './people.js';
import { projectHref } from './tasks.js';

/** How many projects wait for my answer. */
export const waiting = async () => (await api.all('/v1/me/invitations')).length;

/** What my address is invited to. */
export async function invitationsPage() {
	const list = h('div');
	const changed = () => dispatchEvent(new Event('count'));
	const draw = async () => {
		const invitations = await api.all('/v1/me/invitations');
		put(list, invitations.length === 0
			? empty(t('invitations.emptyTitle'), t('invitations.empty'))
			: h('ul.rows', invitations.map((it) => {
				const name = it.project_name;
				const path = `/v1/me/invitations/${encodeURIComponent(it.project)}`;
				return h('li.row.invitation', avatar(name, [...name][0]),
					h('div.grow', h('strong', name), h('p.hint', t('invitations.as', { name: it.invited_by ?? t('people.unknown'), role: t(`role.${it.role}`) }))),
					h('div.actions',
						button(t('invitations.accept'), async () => {
							await api.request('POST', `${path}/accept`);
							changed();
							notice(t('invitations.accepted', { project: name }));
							location.assign(projectHref(it.project));
						}, { class: 'primary', 'aria-label': t('invitations.acceptName', { project: name }) }),
						button(t('invitations.decline'), async () => {
							await api.request('DELETE', path);
							changed();
							await draw();
						}, { 'aria-label': t('invitations.declineName', { project: name }) })));
			})));
	};
	await draw();
	return { title: t('nav.invitations'), node: h('div.narrow', h('h1', { tabindex: -1 }, t('nav.invitations')), list) };
}
