import { button, h, put } from './dom.js';
import { locale, t } from './i18n.js';
import { assigneeOptions, nameOf } from './people.js';
import * as session from './session.js';
import { PRIORITIES, STATUSES } from './tasks.js';

const KEYS = {
	title: (task) => task.title,
	status: (task) => STATUSES.indexOf(task.status),
	assignee: (task, people) => task.assignee && nameOf(people, task.assignee),
	priority: (task) => PRIORITIES.indexOf(task.priority),
	due_on: (task) => task.due_on,
	updated_at: (task) => task.updated_at,
};
export const SORTS = Object.keys(KEYS);

/** The sort after `sort` when the heading `name` is chosen again and again; what is pressing or new comes first at first. */
export function nextSort(name, sort) {
	const both = /priority|updated/.test(name) ? [`-${name}`, name] : [name, `-${name}`];
	return [...both, ''][both.indexOf(sort) + 1];
}

/** An order of tasks; those without a value come last, whichever way it goes. */
export function compare(sort, people) {
	const [, minus, name] = /^(-?)(.*)$/.exec(sort);
	const key = KEYS[name] ?? (() => 0);
	const words = new Intl.Collator(locale, { numeric: true });
	const order = /title|assignee/.test(name) ? words.compare : (a, b) => (a < b ? -1 : 1);
	return (one, other) => {
		const a = key(one, people);
		const b = key(other, people);
		if (a === b) return 0;
		if (a === null || b === null) return a === null ? 1 : -1;
		return minus ? order(b, a) : order(a, b);
	};
}

/** What an address' query asks for, as `matches` takes it. */
export function filterOf(query) {
	const { text = '', status, assignee, label } = Object.fromEntries(query);
	return { status, label, assignee: assignee === 'me' ? session.current().id : assignee, words: text.toLowerCase().split(/\s+/).filter(Boolean) };
}

export const matches = (task, { status, assignee, label, words = [] }) => (!status || task.status === status)
	&& (!assignee || (task.assignee ?? 'nobody') === assignee)
	&& (!label || task.labels.includes(label))
	&& words.every((it) => task.title.toLowerCase().includes(it));

/** The bar that filters and sorts. What is chosen is kept in the address, and told by `change`. */
export function filterBar({ query, people, asked }, change) {
	const known = new Set();
	const count = h('span.count', { role: 'status' });
	const write = (values) => {
		for (const [name, value] of Object.entries(values)) {
			if (value) query.set(name, value);
			else query.delete(name);
		}
		history.replaceState(null, '', `${location.hash.split('?')[0]}${query.size > 0 ? `?${query}` : ''}`);
		asked?.();
		change();
	};
	const text = h('input', { type: 'search', 'aria-label': t('filter.text'), placeholder: t('filter.text'), oninput: () => write({ text: text.value.trim() }) });
	const option = ([value, label]) => h('option', { value }, label);
	const choice = (name, options, label = t(`task.${name}`), act = (value) => write({ [name]: value })) => h('select', { 'aria-label': label, onchange: (event) => act(event.target.value) }, [['', label], ...options].map(option));
	const status = choice('status', STATUSES.map((it) => [it, t(`status.${it}`)]));
	const assignee = people && choice('assignee', [['me', t('filter.me')], ['nobody', t('task.nobody')], ...assigneeOptions(people, query.get('assignee')).slice(1)]);
	const label = choice('label', [], t('task.labels'));
	const sort = choice('sort', SORTS.filter((it) => people || it !== 'assignee').map((it) => [it, t(`task.${it}`)]), t('filter.sort'), (name) => write({ sort: name && nextSort(name) }));
	const turn = button('', () => write({ sort: query.get('sort').replace(/^(-?)/, (minus) => (minus ? '' : '-')) }), { class: 'quiet', 'aria-label': t('filter.turn') });
	const clear = button(t('filter.clear'), () => write({ status: '', assignee: '', label: '', text: '', sort: '' }), { class: 'quiet' });
	const set = (select, name) => {
		const value = query.get(name) ?? '';
		if (select && select.value !== value) select.value = value;
		select?.classList.toggle('set', value !== '');
	};
	return {
		node: h('search.filters', text, status, assignee, label, sort, turn, clear, count),
		write,
		focus: () => text.focus(),
		/** Shows what is asked for, how many tasks there are, and the labels they have. */
		show(shown, { tasks, complete }) {
			const before = known.size;
			if (query.has('label')) known.add(query.get('label'));
			for (const task of tasks) task.labels.forEach((it) => known.add(it));
			if (known.size > before) put(label, option(['', t('task.labels')]), [...known].sort().map((it) => option([it, it])));
			if (document.activeElement !== text) text.value = query.get('text') ?? '';
			set(status, 'status');
			set(assignee, 'assignee');
			set(label, 'label');
			const order = query.get('sort') ?? '';
			sort.value = order.replace('-', '');
			sort.classList.toggle('set', order !== '');
			turn.hidden = !order;
			put(turn, order.startsWith('-') ? '↓' : '↑');
			clear.hidden = query.size === 0;
			put(count, t('filter.count', { count: `${shown.toLocaleString(locale)}${complete ? '' : '+'}` }));
		},
	};
}
