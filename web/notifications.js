import * as api from './api.js';
import { button, h, paged, row } from './dom.js';
import { field } from './form.js';
import { when } from './history.js';
import { locale, t } from './i18n.js';
import { nameOf, peopleOf } from './people.js';
import { projectHref, taskHref } from './tasks.js';

const PATH = '/v1/notifications';

/** How many notifications are unread. */
export const unread = async () => (await api.get(`${PATH}/unread`)).unread;

/** What the person was told of in the product, whatever mails they want. */
export async function notificationsPage() {
	const projects = new Map((await api.all('/v1/projects')).map((it) => [it.id, it.name]));
	const people = new Map();
	const list = h('ol.rows');
	const load = async (cursor) => {
		const page = await api.page(PATH, { limit: 20, cursor });
		for (const { project } of page.items) if (!people.has(project)) people.set(project, await peopleOf(project));
		return page;
	};
	const mark = async (place, body, ...rows) => {
		await api.request('POST', `${PATH}/${place}`, { body });
		rows.forEach((it) => it.classList.remove('unread'));
		dispatchEvent(new Event('count'));
	};
	const and = (words) => new Intl.ListFormat(locale).format(words);
	const draw = ({ id, kind, project, task, title, fields, actors, user, reason, at, read }) => {
		const name = and((user ? [user] : actors).map((it) => nameOf(people.get(project), it)));
		const done = () => mark(`${id}/read`, undefined, node);
		const href = task ? taskHref({ project, id: task }) : `${projectHref(project)}/people`;
		const node = row(
			[
				h('a', { href, onclick: () => read || done().catch(() => {}) }, title ?? projects.get(project)),
				h('p', t(`notifications.${kind}`, { name, fields: and(fields.map((it) => t(`task.${it}`))) })),
			],
			[`${projects.get(project)} · ${t(`notifications.${reason}`)} · `, when(at)],
			button(t('notifications.read'), done, { class: 'quiet mark-read' }));
		if (!read) node.classList.add('unread');
		return Object.assign(node, { id });
	};
	// Up to the newest that is shown: what came meanwhile stays unread.
	const all = button(t('notifications.all'), () => {
		const rows = list.querySelectorAll('.unread');
		return mark('read', { through: rows[0].id }, ...rows);
	}, { class: 'mark-all' });
	const title = t('nav.notifications');
	return { title, node: h('div.narrow', h('div.title-row', h('h1', title), all), await paged(list, load, draw), h('p.hint.none', t('event.none'))) };
}

/** How the person follows a project or a task, which its path names. */
export async function subscription(path) {
	const place = `${path}/subscription`;
	const onchange = ({ target: { value: mode } }) => {
		const [method, body] = mode === 'default' ? ['DELETE'] : ['PUT', { mode }];
		api.request(method, place, { body }).then(() => choice.show(), ({ message }) => choice.show(message));
	};
	const options = ['default', 'watch', 'mute'].map((it) => [it, t(`subscription.${it}`)]);
	const { mode: value } = await api.get(place);
	const choice = field({ name: 'subscription', label: t('subscription.title'), kind: 'select', options, value, onchange });
	return choice.node;
}
