import { h, notice, put } from './dom.js';
import { dateText, t } from './i18n.js';
import { shortcut } from './keys.js';
import { FIELDS } from './newtask.js';
import { avatar, nameOf } from './people.js';
import { rowMark, taskRows } from './rows.js';
import { isLate } from './table.js';
import { STATUSES, taskHref } from './tasks.js';

/** Due date, priority and labels, as far as there are any. */
export function taskMarks(task) {
	const { due_on, priority, labels = [] } = task;
	const late = isLate(task);
	const marks = [
		priority !== 'none' && h('li', { class: `mark priority-${priority}` }, t(`priority.${priority}`)),
		due_on && h('li', { class: `mark${late ? ' late' : ''}` }, t(late ? 'task.lateSince' : 'task.dueOn', { date: dateText(due_on) })),
		labels.map((it) => h('li.mark.label', it)),
	].flat().filter(Boolean);
	return marks.length > 0 && h('ul.marks', marks);
}

/** Tasks as cards in a column for each status; a card is dragged, or moved by key, to another. */
export function boardView(ctx) {
	const { people, writes } = ctx;
	let dragged = null;
	const columns = STATUSES.map((status) => {
		const parent = h('ul.cards');
		const count = h('span.count');
		const over = (event) => {
			if (!dragged) return;
			event.preventDefault();
			node.classList.add('over');
		};
		const node = h('section.column', {
			'aria-label': t(`status.${status}`),
			ondragenter: over,
			ondragover: over,
			ondragleave: (event) => !node.contains(event.relatedTarget) && node.classList.remove('over'),
			ondrop: (event) => {
				event.preventDefault();
				node.classList.remove('over');
				if (dragged) rows.change(dragged, { status });
			},
		}, h('h2', h('span', { class: `dot ${status}` }), t(`status.${status}`), count), parent);
		return { status, parent, count, node, spacer: () => h('li', { 'aria-hidden': 'true' }) };
	});
	const row = (task, editorOf) => h('li.slot', {
		draggable: writes,
		ondragstart: (event) => {
			dragged = task.id;
			event.dataTransfer.setData('text/plain', task.title);
		},
		ondragend: () => { dragged = null; },
	}, h('div.task',
		h('a.task-title', { href: taskHref(task), tabindex: -1, draggable: 'false' }, task.title),
		h('div.task-foot', rowMark(task), taskMarks(task), task.assignee && avatar(nameOf(people, task.assignee))),
		FIELDS.map(editorOf)));
	const drawn = () => columns.forEach(({ count, tasks }) => put(count, String(tasks.length)));
	const board = h('div.board', columns.map((it) => it.node));
	const rows = taskRows(ctx, { root: board, groups: columns, row, most: 60, whole: true, fields: FIELDS, drawn });
	const beside = (by, act) => () => {
		const { group, index } = rows.spot();
		const to = columns[columns.indexOf(group) + by];
		return Boolean(to && index >= 0) && act(to, index, group);
	};
	for (const [arrow, by] of [['ArrowLeft', -1], ['ArrowRight', 1]]) {
		shortcut(arrow, t('board.beside'), beside(by, ({ tasks }, index) => rows.focus(tasks[Math.min(index, tasks.length - 1)])));
		if (!writes) continue;
		shortcut(`Shift+${arrow}`, t('board.move'), beside(by, ({ status }, index, group) => {
			const { id, title } = group.tasks[index];
			if (rows.change(id, { status }) !== false) notice(t('board.moved', { title, status: t(`status.${status}`) }));
		}));
	}
	rows.pick();
	return h('div.work', rows.bar.node, board);
}
