import * as api from './api.js';
import { button, h, paged, row } from './dom.js';
import { when } from './history.js';
import { locale, t } from './i18n.js';
import { nameOf, peopleOf } from './people.js';
import * as session from './session.js';
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
	const mark = async (nodes, place, body) => {
		await api.request('POST', `${PATH}/${place}`, { body });
		nodes.forEach((it) => it.classList.remove('unread'));
		dispatchEvent(new Event('count'));
	};
	const and = (words) => new Intl.ListFormat(locale).format(words);
	const draw = ({ id, kind, project, task, title, fields, actors, user, reason, at, read }) => {
		const names = kind === 'undeliverable' ? [user] : actors;
		const name = and(names.map((it) => (it ? nameOf(people.get(project), it) : t('notifications.guest'))));
		const done = () => mark([node], `${id}/read`);
		const link = h('a', {
			href: task ? taskHref({ project, id: task }) : `${projectHref(project)}/people`,
			onclick: () => node.matches('.unread') && done().catch(() => {}),
		}, title ?? projects.get(project));
		const node = row(
			[link, h('p', t(`notifications.${kind}`, { name, fields: and(fields.map((it) => t(`task.${it}`))) }))],
			[`${projects.get(project)} · ${t(`notifications.${reason}`)} · `, when(at, session.current().time_zone)],
			button(t('notifications.read'), done, { class: 'quiet mark-read' }));
		node.id = id;
		node.classList.toggle('unread', !read);
		return node;
	};
	// Up to the newest that is shown: what came meanwhile stays unread.
	const all = button(t('notifications.all'), () => {
		const nodes = [...list.querySelectorAll('.unread')];
		return mark(nodes, 'read', { through: nodes[0].id });
	}, { class: 'mark-all' });
	const title = t('nav.notifications');
	const node = h('div.narrow', h('div.title-row', h('h1', title), all), await paged(list, load, draw), h('p.hint.none', t('event.none')));
	return { title, node };
}
