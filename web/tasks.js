import * as api from './api.js';
import { button, empty, h, put } from './dom.js';
import { dateText, t, today } from './i18n.js';
import * as session from './session.js';

export const STATUSES = ['waiting', 'in_progress', 'done'];
export const PRIORITIES = ['none', 'low', 'medium', 'high', 'urgent'];

export const projectHref = (project) => `#/projects/${encodeURIComponent(project)}`;
export const taskHref = (task) => `${projectHref(task.project)}/tasks/${encodeURIComponent(task.id)}`;
export const projectPath = (project) => `/v1/projects/${encodeURIComponent(project)}`;
export const taskPath = (task) => `${projectPath(task.project)}/tasks/${encodeURIComponent(task.id)}`;

/** Due date, priority and labels, as far as there are any. */
export function taskMarks({ due_on, priority, labels = [], status }) {
	const late = due_on !== null && status !== 'done' && due_on < today(session.current()?.time_zone);
	const marks = [
		priority !== 'none' && h('li', { class: `mark priority-${priority}` }, t(`priority.${priority}`)),
		due_on && h('li', { class: `mark${late ? ' late' : ''}` }, t(late ? 'task.lateSince' : 'task.dueOn', { date: dateText(due_on) })),
		labels.map((it) => h('li.mark.label', it)),
	].flat().filter(Boolean);
	return marks.length > 0 && h('ul.marks', marks);
}

/** My tasks over all projects: what is being done, what waits, and what is done behind a fold. */
export async function myTasksPage() {
	const load = (status, cursor = null) => api.page('/v1/tasks', { assignee: 'me', status, limit: 50, cursor });
	const [projects, moving, waiting, done] = await Promise.all([api.all('/v1/projects'), load('in_progress'), load('waiting'), load('done')]);
	const names = new Map(projects.map((it) => [it.id, it.name]));

	const row = (task) => h('li.row', h('a.row-title', { href: taskHref(task) }, task.title), h('span.row-project', names.get(task.project)), taskMarks(task));
	const section = (status, first) => {
		const list = h('ul.rows', first.items.map(row));
		let next = first.next_cursor;
		const more = button(t('app.more'), async () => {
			const answer = await load(status, next);
			next = answer.next_cursor;
			list.append(...answer.items.map(row));
			more.hidden = next === null;
		}, { class: 'quiet more' });
		more.hidden = next === null;
		return [list, more];
	};
	const heading = (status, { items, next_cursor }) => [h('span', { class: `dot ${status}`, 'aria-hidden': 'true' }), t(`status.${status}`), h('span.count', `${items.length}${next_cursor === null ? '' : '+'}`)];

	const body = [];
	for (const [status, first] of [['in_progress', moving], ['waiting', waiting]]) {
		if (first.items.length > 0) body.push(h('section', h('h2', heading(status, first)), section(status, first)));
	}
	if (body.length === 0) {
		body.push(projects.length > 0
			? empty(t('mine.emptyTitle'), t('mine.empty'), h('a.button', { href: '#/projects' }, t('nav.projects')))
			: empty(t('mine.welcome', { name: session.current().name }), t('mine.start'), h('a.button.primary', { href: '#/projects' }, t('projects.create'))));
	}
	if (done.items.length > 0) body.push(h('details.done-fold', h('summary', heading('done', done)), section('done', done)));
	return { title: t('nav.mine'), node: put(h('div.narrow'), h('h1', { tabindex: -1 }, t('nav.mine')), body) };
}
