import * as api from './api.js';
import { button, h, notice, put, row } from './dom.js';
import { field, form } from './form.js';
import { ago, t } from './i18n.js';
import { avatar, membersOf } from './people.js';
import { nameForm } from './projects.js';
import { current } from './session.js';
import { projectPath } from './tasks.js';

/** Who is in a project, in which role; for its owners also who is invited, its name and its end. */
export async function membersView({ project, people }) {
	const path = projectPath(project.id);
	const owns = project.role === 'owner';
	const redraw = () => dispatchEvent(new Event('hashchange'));
	const leave = () => location.assign('#/projects');
	const role = (more) => field({ name: 'role', kind: 'select', options: ['viewer', 'editor', 'owner'].map((it) => [it, t(`role.${it}`)]), ...more });
	const end = (label, name, place, then, more) => button(label, async () => {
		if (!confirm(`${label}: ${name}?`)) return;
		await api.request('DELETE', place);
		then();
	}, { 'aria-label': `${label}: ${name}`, ...more });

	const member = ({ user, name, role: value }) => {
		const mine = user === current().id;
		const place = `${path}/members/${user}`;
		const failed = ({ message }) => choice.show(message);
		const onchange = () => api.request('PATCH', place, { body: { role: choice.read() } }).then(() => (mine ? redraw() : choice.show('')), failed);
		const choice = role({ label: `${t('people.role')}: ${name}`, value, disabled: !owns, onchange });
		const node = row([avatar(name), h('strong', name), mine && h('span.you', t('people.you'))], '', choice.node,
			(owns || mine) && end(t(mine ? 'people.leave' : 'people.remove'), name, place, mine ? leave : () => node.remove(), { failed }));
		return node;
	};
	const members = h('ul.rows', membersOf(people).map(member));
	if (!owns) return members;

	const invited = h('ul.rows');
	const draw = async () => put(invited, (await api.all(`${path}/invitations`)).map(({ id, email, role, invited_at }) => row(
		h('strong', email), `${t(`role.${role}`)} · ${ago(invited_at)}`, end(t('people.withdraw'), email, `${path}/invitations/${id}`, draw))));
	await draw();
	const email = field({ name: 'email', label: t('people.inviteEmail'), kind: 'email', autocomplete: 'off' });
	const invite = async (body) => {
		await api.request('POST', `${path}/invitations`, { body });
		email.write('');
		notice(t('people.invited', body));
		await draw();
	};
	return h('div.narrow', members,
		h('section.card', h('h2', t('people.inviteTitle')), form({ class: 'inline', fields: [email, role({ label: t('people.role'), value: 'editor' })], submit: t('people.invite'), onSubmit: invite })),
		invited,
		h('section.card', nameForm(t('projects.rename'), (body) => api.request('PATCH', path, { body }).then(redraw), project.name),
			end(t('projects.delete'), project.name, path, leave, { class: 'danger' })));
}
