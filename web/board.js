import { h, notice, put } from './dom.js';
import { t } from './i18n.js';
import { shortcut } from './keys.js';
import { taskRows } from './rows.js';
import { STATUSES } from './tasks.js';

/** Tasks as cards in a column for each status; a card is dragged, or moved by key, to another. */
export function boardView(ctx) {
	let dragged;
	const columns = STATUSES.map((status) => {
		const parent = h('ul.cards');
		const count = h('span.count');
		return { status, parent, count, node: h('section.column', { 'aria-label': t(`status.${status}`) }, h('h2', h(`span.dot.${status}`), t(`status.${status}`), count), parent) };
	});
	const over = (target) => columns.find(({ node }) => node.classList.toggle('over', node.contains(target)));
	const board = h('div.board', {
		ondragstart: ({ target, dataTransfer }) => {
			dragged = target.task;
			dataTransfer.setData('text/plain', dragged.title);
		},
		ondragover: (event) => dragged && over(event.target) && event.preventDefault(),
		ondrop: (event) => {
			event.preventDefault();
			rows.move(dragged, over(event.target)?.status);
		},
		ondragend: () => {
			dragged = null;
			columns.forEach(({ node }) => node.classList.remove('over'));
		},
	}, columns.map((it) => it.node));
	const drawn = () => columns.forEach(({ count, tasks }) => put(count, String(tasks.length)));
	const rows = taskRows(ctx, { root: board, groups: columns, columns: ['title', 'priority', 'due_on', 'labels', 'assignee'], drawn });
	for (const [arrow, by] of [['ArrowLeft', -1], ['ArrowRight', 1]]) {
		const beside = (act) => () => {
			const { group, index, task } = rows.spot();
			const to = columns[columns.indexOf(group) + by];
			return to ? act(to, index, task) : false;
		};
		shortcut(arrow, t('board.beside'), beside((to, index) => rows.focus(to, index)));
		if (ctx.writes) shortcut(`Shift+${arrow}`, t('board.move'), beside(({ status }, index, task) => rows.move(task, status) !== false && notice(`${task.title}: ${t(`status.${status}`)}`)));
	}
	rows.pick();
	return h('div.work', rows.bar.node, board);
}
