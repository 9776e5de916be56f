import { all } from './api.js';
import { empty, h, t } from './dom.js';
import { fresh } from './live.js';
import { current } from './session.js';
import { tableView } from './table.js';
import { TaskList } from './tasks.js';

/** My tasks over all projects. */
export async function myTasksPage({ query }) {
	const list = new TaskList('/v1/tasks', { assignee: 'me' });
	const [projects] = await Promise.all([all('/v1/projects'), list.more()]);
	const title = t('nav.mine');
	const { name } = current();
	// A poll for each project, so not of many.
	const leave = [() => list.close(), ...projects.slice(0, 3).map((it) => fresh(list, it.id))];
	const ctx = { title, people: new Map(), projects: new Map(projects.map((it) => [it.id, it.name])), list, query, writes: true, leave };
	return {
		title,
		node: h('div.wide', h('h1', title), list.tasks.length > 0 ? tableView(ctx, ['title', 'project', 'status', 'priority', 'due_on', 'labels', 'updated_at'])
			: projects.length > 0 ? empty(t('mine.emptyTitle'), t('mine.empty'), h('a.button', { href: '#/projects' }, t('nav.projects')))
			: empty(t('mine.welcome', { name }), t('mine.start'), h('a.button.primary', { href: '#/projects' }, t('projects.create')))),
		leave: () => leave.forEach((it) => it()),
	};
}
