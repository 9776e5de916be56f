import { h, put, t } from './dom.js';
import { SORTS } from './filter.js';
import { taskRows } from './rows.js';

/** Tasks as a table that is sorted by its headings. */
export function tableView(ctx, columns = ['title', 'status', 'assignee', 'priority', 'due_on', 'labels', 'updated_at']) {
	const head = h('tr');
	const body = h('tbody');
	const table = h('table.card', { 'aria-label': ctx.title }, h('thead', head), body);
	const none = h('p.hint', t('board.none'));
	const heading = (name) => {
		const [sort, sign, next] = { [name]: ['ascending', ' ↑', `-${name}`], [`-${name}`]: ['descending', ' ↓'] }[ctx.query.get('sort')] ?? ['none', '', name];
		const text = t(`task.${name}`);
		return SORTS.includes(name) ? h('th', { scope: 'col', 'aria-sort': sort }, h('button', { type: 'button', onclick: () => bar.ask('sort', next) }, text, sign)) : h('th', { scope: 'col' }, text);
	};
	const drawn = (count) => {
		table.ariaRowCount = ctx.list.complete ? count + 1 : -1;
		none.hidden = count > 0;
		put(head, columns.map(heading));
	};
	const { bar } = taskRows(ctx, { root: table, groups: [{ parent: body }], columns, drawn });
	return h('div.work', bar.node, table, none);
}
