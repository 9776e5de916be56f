import * as api from './api.js';
import { empty, h } from './dom.js';
import { t } from './i18n.js';
import * as session from './session.js';
import { tableView } from './table.js';
import { TaskList } from './tasks.js';

/** My tasks over all projects. */
export async function myTasksPage({ query }) {
	const list = new TaskList('/v1/tasks', { assignee: 'me' });
	const [all] = await Promise.all([api.all('/v1/projects'), list.more()]);
	const projects = new Map(all.map((it) => [it.id, it]));
	const name = t('nav.mine');
	const leave = [() => list.close()];
	const ctx = { name, projects, list, query, zone: session.current().time_zone, writes: all.some((it) => it.role !== 'viewer'), leave };
	const nothing = () => (all.length > 0
		? empty(t('mine.emptyTitle'), t('mine.empty'), h('a.button', { href: '#/projects' }, t('nav.projects')))
		: empty(t('mine.welcome', { name: session.current().name }), t('mine.start'), h('a.button.primary', { href: '#/projects' }, t('projects.create'))));
	return {
		title: name,
		node: h('div.wide', h('h1', name), list.tasks.length > 0 ? tableView(ctx, ['title', 'project', 'status', 'priority', 'due_on', 'labels', 'updated_at']) : nothing()),
		leave: () => leave.forEach((it) => it()),
	};
}
