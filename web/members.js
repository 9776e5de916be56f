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
	const roles = ['viewer', 'editor', 'owner'].map((it) => [it, t(`role.${it}`)]);
	const redraw = () => dispatchEvent(new Event('hashchange'));
	const gone = () => location.assign('#/projects');
	const end = (label, name, place, then, more) => button(label, async () => {
		if (!confirm(`${label}: ${name}?`)) return;
		await api.request('DELETE', place);
		then();
	}, { 'aria-label': `${label}: ${name}`, ...more });

	// A refusal stands in the row it is about.
	const refusal = h('p.error', { role: 'alert' });
	const member = ({ user, name, role }) => {
		const mine = user === current().id;
		const place = `${path}/members/${user}`;
		const failed = ({ message }) => {
			select.value = role;
			node.append(put(refusal, message));
		};
		const change = async () => {
			refusal.remove();
			({ role } = (await api.request('PATCH', place, { body: { role: select.value } })).body);
			if (mine) redraw();
		};
		const select = h('select', { 'aria-label': `${t('people.role')}: ${name}`, onchange: () => change().catch(failed) },
			roles.map(([value, text]) => h('option', { value, selected: value === role }, text)));
		const node = row([avatar(name), h('strong', name), mine && h('span.you', t('people.you'))], owns ? '' : t(`role.${role}`), owns && h('div', select),
			(owns || mine) && end(t(mine ? 'people.leave' : 'people.remove'), name, place, mine ? gone : () => node.remove(), { failed }));
		return node;
	};

	const invited = h('ul.rows');
	const draw = async () => put(invited, (await api.all(`${path}/invitations`)).map(({ id, email, role, invited_at }) => row(
		h('strong', email), `${t(`role.${role}`)} · ${ago(invited_at)}`, end(t('people.withdraw'), email, `${path}/invitations/${id}`, draw))));
	if (owns) await draw();
	const email = field({ name: 'email', label: t('people.inviteEmail'), kind: 'email', required: true, autocomplete: 'off' });
	const invite = async (body) => {
		await api.request('POST', `${path}/invitations`, { body });
		email.write('');
		notice(t('people.invited', body));
		await draw();
	};
	const rename = async (body) => {
		await api.request('PATCH', path, { body });
		redraw();
	};
	return h('div.narrow', h('ul.rows', membersOf(people).map(member)), owns && [
		h('section.card', h('h2', t('people.inviteTitle')), form({
			class: 'inline',
			fields: [email, field({ name: 'role', label: t('people.role'), kind: 'select', options: roles, value: 'editor' })],
			submit: t('people.invite'),
			onSubmit: invite,
		})),
		invited,
		h('section.card', nameForm(t('projects.rename'), rename, project.name), end(t('projects.delete'), project.name, path, gone, { class: 'danger' })),
	]);
}
