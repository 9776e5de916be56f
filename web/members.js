import * as api from './api.js';
import { button, h, notice, put } from './dom.js';
import { field, form } from './form.js';
import { ago, t } from './i18n.js';
import { avatar, peopleOf } from './people.js';
import { nameField } from './projects.js';
import { current } from './session.js';
import { projectPath } from './tasks.js';

/** Who is in a project, in which role; for its owners also who is invited, its name and its end. */
export async function membersView({ project }) {
	const path = projectPath(project.id);
	const owns = project.role === 'owner';
	const roles = () => ['viewer', 'editor', 'owner'].map((it) => [it, t(`role.${it}`)]);
	const redraw = () => dispatchEvent(new Event('hashchange'));
	const members = [...(await peopleOf(project.id)).values()].filter((it) => !it.left_at).sort((a, b) => a.name.localeCompare(b.name));

	// A refusal stands in the row it is about.
	const row = (name, hint, label, act) => {
		const error = h('p.error', { role: 'alert' });
		const failed = ({ message }) => put(error, message);
		const remove = async () => {
			put(error);
			if ((await act()) !== false) node.remove();
		};
		const node = h('li.row', hint ? null : avatar(name), h('div.grow', h('strong', name), hint), label && button(label, remove, { failed, 'aria-label': `${label}: ${name}` }), error);
		return { node, failed, error };
	};
	const member = ({ user, name, role }) => {
		const mine = user === current().id;
		const place = `${path}/members/${encodeURIComponent(user)}`;
		const { node, failed, error } = row(name, null, (owns || mine) && t(mine ? 'people.leave' : 'people.remove'), async () => {
			if (!confirm(t(mine ? 'people.leaveSure' : 'people.removeSure', { name }))) return false;
			await api.request('DELETE', place);
			if (mine) location.assign('#/projects');
		});
		const select = h('select', { 'aria-label': `${t('people.role')}: ${name}`, onchange: async () => {
			put(error);
			try {
				role = (await api.request('PATCH', place, { body: { role: select.value } })).body.role;
				if (mine) redraw();
			} catch (problem) {
				select.value = role;
				failed(problem);
			}
		} }, roles().map(([value, text]) => h('option', { value, selected: value === role }, text)));
		if (mine) node.querySelector('.grow').append(h('span.you', t('people.you')));
		node.querySelector('.grow').after(owns ? h('div', select) : h('span.hint', t(`role.${role}`)));
		return node;
	};

	const invited = h('ul.rows');
	const draw = async () => put(invited, (await api.all(`${path}/invitations`)).map(({ id, email, role, invited_at }) => row(
		email, h('p.hint', `${t(`role.${role}`)} · ${ago(invited_at)}`), t('people.withdraw'),
		() => api.request('DELETE', `${path}/invitations/${encodeURIComponent(id)}`)).node));
	if (owns) await draw();
	const invite = form({
		class: 'inline',
		fields: [
			field({ name: 'email', label: t('people.inviteEmail'), kind: 'email', required: true, autocomplete: 'off' }),
			field({ name: 'role', label: t('people.role'), kind: 'select', options: roles(), value: 'editor' }),
		],
		submit: t('people.invite'),
		onSubmit: async (body) => {
			await api.request('POST', `${path}/invitations`, { body });
			invite.reset();
			notice(t('people.invited', body));
			await draw();
		},
	});
	const rename = form({
		class: 'inline',
		fields: [nameField(project.name)],
		submit: t('projects.rename'),
		onSubmit: async (body) => {
			await api.request('PATCH', path, { body });
			redraw();
		},
	});
	const end = async () => {
		if (!confirm(t('projects.deleteSure', project))) return;
		await api.request('DELETE', path);
		location.assign('#/projects');
	};
	return h('div.narrow',
		h('section', h('h2', t('people.title')), h('ul.rows', members.map(member))),
		owns && [
			h('section.card', h('h2', t('people.inviteTitle')), invite),
			invited,
			h('section.card', rename, button(t('projects.delete'), end, { class: 'danger' })),
		]);
}
