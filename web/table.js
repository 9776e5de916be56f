import { h, put } from './dom.js';
import { nextSort, SORTS } from './filter.js';
import { ago, dateText, t, today } from './i18n.js';
import { avatar, nameOf } from './people.js';
import { rowMark, taskRows } from './rows.js';
import * as session from './session.js';
import { taskHref } from './tasks.js';

const COLUMNS = ['title', 'status', 'assignee', 'priority', 'due_on', 'labels', 'updated_at'];

export const isLate = ({ due_on, status }) => due_on !== null && status !== 'done' && due_on < today(session.current().time_zone);

/** What a cell says. */
const SAYS = {
	project: (task, { projects }) => projects.get(task.project)?.name,
	status: ({ status }) => [h('span', { class: `dot ${status}` }), t(`status.${status}`)],
	assignee: ({ assignee }, { people }) => assignee && [avatar(nameOf(people, assignee)), nameOf(people, assignee)],
	priority: ({ priority }) => priority !== 'none' && h('span', { class: `mark priority-${priority}` }, t(`priority.${priority}`)),
	due_on: (task) => task.due_on && h('span', { class: isLate(task) && 'mark late' }, dateText(task.due_on)),
	labels: ({ labels }) => labels.map((it) => h('span.mark.label', it)),
	updated_at: ({ updated_at }) => ago(updated_at),
};

/** Tasks as a table that is sorted by its headings. */
export function tableView(ctx, columns = COLUMNS) {
	const head = h('tr');
	const body = h('tbody');
	const table = h('table.grid', { 'aria-label': (ctx.project ?? ctx).name }, h('thead', head), body);
	const none = h('p.column-empty', t('board.none'));
	const row = (task, editorOf) => h('tr', columns.map((name) => {
		const input = editorOf(name);
		if (name === 'title') return h('th', { scope: 'row', 'data-name': name }, h('span.line', rowMark(task), h('a.task-title', { href: taskHref(task), tabindex: -1 }, task.title)), input);
		return h('td', { class: `is-${name}`, 'data-name': name }, h('span.line', SAYS[name](task, ctx)), input);
	}));
	const drawn = (count, complete) => {
		table.setAttribute('aria-rowcount', complete ? count + 1 : -1);
		none.hidden = count > 0;
		const sort = ctx.query.get('sort') ?? '';
		put(head, columns.map((name) => {
			const way = sort.replace('-', '') === name && (sort.startsWith('-') ? 'descending' : 'ascending');
			return h('th', { scope: 'col', class: `is-${name}`, 'aria-sort': way }, SORTS.includes(name)
				? h('button.quiet', { type: 'button', onclick: () => rows.bar.write({ sort: nextSort(name, sort) }) }, t(`task.${name}`), way && (way === 'ascending' ? ' ↑' : ' ↓'))
				: t(`task.${name}`));
		}));
	};
	const spacer = () => h('tr', { 'aria-hidden': 'true' });
	const rows = taskRows(ctx, { root: table, groups: [{ parent: body, spacer, index: true }], row, most: 180, fields: columns, drawn });
	rows.pick();
	return h('div.work', rows.bar.node, table, none);
}
