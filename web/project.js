import * as api from './api.js';
import { button, h } from './dom.js';
import { t } from './i18n.js';
import { shortcut } from './keys.js';
import { fresh } from './live.js';
import { newTaskForm } from './newtask.js';
import { peopleOf } from './people.js';
import * as session from './session.js';
import { subscription } from './subscription.js';
import { projectHref, projectPath, TaskList } from './tasks.js';

const VIEWS = {
	'': async (ctx) => (await import('./table.js')).tableView(ctx),
	board: async (ctx) => (await import('./board.js')).boardView(ctx),
	overview: async (ctx) => (await import('./overview.js')).overviewView(ctx),
	activity: async (ctx) => (await import('./history.js')).activityView(ctx),
	people: async (ctx) => (await import('./members.js')).membersView(ctx),
};

/** One project: its name, its views, and the view asked for. */
export async function projectPage({ project: id, view = '', query }) {
	const path = projectPath(id);
	const list = new TaskList(`${path}/tasks`);
	const tasks = view === '' || view === 'board';
	const [project, people] = await Promise.all([api.get(path), peopleOf(id), tasks && list.more()]);
	const writes = project.role !== 'viewer';
	const leave = [() => list.close()];
	const links = Object.keys(VIEWS).map((it) => h('a', { href: projectHref(id, it), 'aria-current': it === view && 'page' }, t(`board.${it || 'table'}`)));
	// The table and the board are two looks at the same tasks, so what is filtered goes along.
	const asked = () => links.slice(0, 2).forEach((it, index) => { it.href = `${projectHref(id, index ? 'board' : '')}${query.size > 0 ? `?${query}` : ''}`; });
	const ctx = { project, people, list, query, zone: session.current().time_zone, writes, leave, asked };
	const task = writes && newTaskForm(ctx);
	if (tasks) {
		asked();
		leave.push(fresh(list, id));
		if (writes) shortcut('n', t('board.new'), task.open);
		shortcut('b', `${t('board.table')} / ${t('board.board')}`, () => links[view ? 0 : 1].click());
	}
	return {
		title: project.name,
		node: h('div.wide',
			h('p.crumbs', h('a', { href: '#/projects' }, t('nav.projects'))),
			h('div.title-row', h('h1', project.name), h('div.actions', subscription(path), writes && button(t('board.new'), task.open, { class: 'primary', 'aria-keyshortcuts': 'n' }))),
			h('nav.tabs', { 'aria-label': t('board.views') }, links),
			await VIEWS[view](ctx),
			task.node),
		dirty: () => writes && task.dirty(),
		leave: () => leave.forEach((it) => it()),
	};
}
