import { h, put } from './dom.js';
import { field } from './form.js';
import { locale, t } from './i18n.js';
import { optionsOf } from './newtask.js';
import { nameOf } from './people.js';
import { current } from './session.js';
import { PRIORITIES, STATUSES } from './tasks.js';

const KEYS = {
	title: (it) => it.title,
	status: (it) => STATUSES.indexOf(it.status),
	assignee: (it, people) => it.assignee && nameOf(people, it.assignee),
	priority: (it) => PRIORITIES.indexOf(it.priority),
	due_on: (it) => it.due_on && Date.parse(it.due_on),
	updated_at: (it) => Date.parse(it.updated_at),
};
export const SORTS = Object.keys(KEYS);

/** The tasks a query asks for, in its order; those without a value come last, whichever way it goes. */
export function chosen(tasks, query, people) {
	const { status, assignee, label, text = '', sort = '' } = Object.fromEntries(query);
	const who = assignee === 'me' ? current().id : assignee;
	const words = text.toLowerCase().split(/\s+/);
	const found = tasks.filter((task) => (!status || task.status === status)
		&& (!who || (task.assignee ?? 'nobody') === who)
		&& (!label || task.labels.includes(label))
		&& words.every((it) => task.title.toLowerCase().includes(it)));
	const name = sort.replace('-', '');
	if (!SORTS.includes(name)) return found;
	const keys = new Map(found.map((it) => [it, KEYS[name](it, people)]));
	const { compare } = new Intl.Collator(locale, { numeric: true });
	const sign = name === sort ? 1 : -1;
	return found.sort((one, other) => {
		const [a, b] = [keys.get(one), keys.get(other)];
		if (a === null || b === null) return (a === null) - (b === null);
		return sign * (typeof a === 'string' ? compare(a, b) : a - b);
	});
}

/** The bar that filters and sorts; what is asked for stays in the address. */
export function filterBar({ query, people }, change) {
	const address = location.hash.split('?')[0];
	const choice = (name, options, label = t(`task.${name}`)) => field({ name, label, kind: 'select', options: [['', label], ...options] });
	const labels = choice('label', [], t('task.labels'));
	const inputs = [
		field({ name: 'text', label: t('filter.text'), type: 'search', placeholder: t('filter.text') }),
		choice('status', optionsOf('status')),
		...people ? [choice('assignee', [['me', t('filter.me')], ['nobody', t('task.nobody')], ...optionsOf('assignee', people, query.get('assignee')).slice(1)])] : [],
		labels,
		choice('sort', SORTS.flatMap((it) => [[it, `${t(`task.${it}`)} ↑`], [`-${it}`, `${t(`task.${it}`)} ↓`]]), t('filter.sort')),
	];
	const clear = h('a', { href: address }, t('filter.clear'));
	const count = h('span.count', { role: 'status' });
	const known = new Set();
	const ask = (name, value) => {
		if (value) query.set(name, value);
		else query.delete(name);
		history.replaceState(null, '', query.size > 0 ? `${address}?${query}` : address);
		change();
	};
	return {
		node: h('search.filters', { oninput: ({ target }) => ask(target.name, target.value) }, inputs.map((it) => it.node), clear, count),
		ask,
		focus: inputs[0].focus,
		/** Says how many there are, and offers the labels they have. */
		show(found, { tasks, complete }) {
			for (const it of tasks.flatMap((task) => task.labels)) if (!known.has(it) && known.add(it)) labels.input.append(h('option', it));
			for (const { input, name } of inputs) if (input !== document.activeElement) input.value = query.get(name) ?? '';
			clear.hidden = query.size === 0;
			put(count, t('filter.count', { count: `${found.toLocaleString(locale)}${complete ? '' : '+'}` }));
		},
	};
}
