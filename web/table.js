import { h, put } from './dom.js';
import { SORTS } from './filter.js';
import { t } from './i18n.js';
import { taskRows } from './rows.js';

/** Tasks as a table that is sorted by its headings. */
export function tableView(ctx, columns = ['title', 'status', 'assignee', 'priority', 'due_on', 'labels', 'updated_at']) {
	const head = h('tr');
	const body = h('tbody');
	const table = h('table.grid', { 'aria-label': ctx.title }, h('thead', head), body);
	const none = h('p.hint', t('board.none'));
	const heading = (name) => {
		const sort = ctx.query.get('sort') ?? '';
		const way = { [name]: 'ascending', [`-${name}`]: 'descending' }[sort];
		const next = { [name]: `-${name}`, [`-${name}`]: '' }[sort] ?? name;
		const sign = way && (way === 'ascending' ? '↑' : '↓');
		return h('th', { scope: 'col', 'aria-sort': way }, SORTS.includes(name)
			? h('button.quiet', { type: 'button', onclick: () => bar.ask('sort', next) }, t(`task.${name}`), sign)
			: t(`task.${name}`));
	};
	const drawn = (count) => {
		table.ariaRowCount = ctx.list.complete ? count + 1 : -1;
		none.hidden = count > 0;
		put(head, columns.map(heading));
	};
	const { bar, pick } = taskRows(ctx, { root: table, groups: [{ parent: body }], columns, drawn });
	pick();
	return h('div.work', bar.node, table, none);
}
