// What the table and the board have in common: tasks filtered and sorted, walked through by key, edited in place, and of a long list
// only what is near the screen in the document.
import { h, notice } from './dom.js';
import { compare, filterBar, filterOf, matches } from './filter.js';
import { t } from './i18n.js';
import { shortcut } from './keys.js';
import { FIELDS, taskField } from './newtask.js';
import { edit, remove, resolve, stateOf, undo } from './outbox.js';
import { STATUSES, taskHref } from './tasks.js';

const NEAR = 8;
const EDITS = { e: 'title', a: 'assignee', d: 'due_on', p: 'priority', l: 'labels' };

/** Puts elements in order and moves none that is in its place: what is moved loses the focus. */
function arrange(parent, elements) {
	const kept = new Set(elements);
	for (const it of [...parent.children]) if (!kept.has(it)) it.remove();
	elements.forEach((it, index) => parent.children[index] !== it && parent.insertBefore(it, parent.children[index]));
}

/** What a row says about what is not saved. */
export function rowMark(task) {
	const { conflict, refused, waiting } = stateOf(task.id) ?? {};
	if (conflict || refused) return h('a.mark.late', { href: taskHref(task) }, t(conflict ? 'table.conflict' : 'table.refused'));
	return waiting && h('span.mark', t('table.waiting'));
}

/** The input of one field in the place of what it says. Enter saves, Escape leaves; `refused` is what the API did not take. */
function editor(task, name, people, latest, close, { refused, patch } = {}) {
	const input = taskField(name, people, task.assignee);
	const before = patch ? patch[name] : task[name];
	input.write(before ?? '');
	if (refused) input.show(refused.fields.find((it) => it.pointer.includes(name))?.detail ?? refused.message);
	let open = true;
	const leave = () => {
		open = false;
		if (refused) resolve(task.id, null);
		close();
	};
	const save = (blurred) => {
		if (!open || !input.check()) return;
		const value = input.read() || null;
		const same = String(value ?? '') === String(before ?? '');
		if (same && !refused) return leave();
		if (same && blurred) return;
		open = false;
		const now = latest();
		if (refused) resolve(task.id, { ...patch, [name]: value });
		else edit(String(now?.[name]) === String(task[name]) ? now : task, { [name]: value });
		close();
	};
	const node = h('div.edit', {
		onkeydown: (event) => {
			if (event.isComposing || event.defaultPrevented || event.target.matches('button')) return;
			if (event.key === 'Enter') save();
			else if (event.key === 'Escape') leave();
			else return;
			event.preventDefault();
		},
		onchange: (event) => event.target.matches('select') && save(),
		// A row that is drawn anew gives the focus back at once.
		onfocusout: () => setTimeout(() => node.isConnected && !node.contains(document.activeElement) && save(true)),
	}, input.node);
	return { node, focus: input.focus };
}

/**
 * `groups` are `{ parent, spacer, status? }`: a list each of the tasks of that status, or of all; `row(task, editors)` makes an element.
 * Returns the bar above them and what a view does with a task.
 */
export function taskRows(ctx, { root, groups, row, most, whole, fields, drawn }) {
	const { list, people, query, leave } = ctx;
	const editors = new Map();
	let cache = new Map();
	let current = null;
	let resting = null;
	let frame = 0;

	const find = (id) => cache.get(id)?.element;
	const taskOf = (id) => cache.get(id)?.task ?? list.tasks.find((it) => it.id === id);
	const writes = (task) => task && (ctx.projects?.get(task.project) ?? ctx.project).role !== 'viewer';
	const failed = (error) => notice(error.message);

	const pick = () => {
		const { tasks } = list;
		const asked = filterOf(query);
		const sort = query.get('sort');
		const shown = tasks.filter((it) => matches(it, asked));
		if (sort) shown.sort(compare(sort, people));
		for (const group of groups) group.tasks = group.status ? shown.filter((it) => it.status === group.status) : shown;
		bar.show(shown.length, { tasks, complete: list.complete });
		drawn?.(shown.length, list.complete);
		if ((whole || query.size > 0) && !list.complete) resting ??= list.rest().catch(failed).finally(() => { resting = null; });
		place();
	};

	const elementOf = (task) => {
		const state = stateOf(task.id);
		const old = cache.get(task.id);
		if (old?.task === task && !old.state && !state) return old;
		if (state?.refused) {
			for (const name of fields) {
				if (name in state.patch && !editors.has(`${task.id} ${name}`)) open(task, name, state);
			}
		}
		const element = row(task, (name) => editors.get(`${task.id} ${name}`)?.node);
		element.dataset.task = task.id;
		return { task, state, element };
	};
	const place = () => {
		const active = document.activeElement;
		const held = active?.closest('[data-task]')?.dataset.task;
		const next = new Map();
		for (const group of groups) {
			const { parent, tasks, pitch = 44 } = group;
			group.ends ??= [group.spacer(), group.spacer()];
			const size = Math.min(most, Math.ceil(innerHeight / pitch) + 2 * NEAR);
			const from = Math.max(0, Math.min(Math.floor(-parent.getBoundingClientRect().top / pitch) - NEAR, tasks.length - size));
			const shown = tasks.slice(from, from + size);
			group.from = from;
			group.rows = shown.map((task, index) => {
				const it = elementOf(task);
				next.set(task.id, it);
				if (group.index) it.element.setAttribute('aria-rowindex', from + index + 2);
				return it.element;
			});
			const [before, after] = group.ends;
			before.style.height = `${from * pitch}px`;
			after.style.height = `${(tasks.length - from - shown.length) * pitch}px`;
			arrange(parent, [before, ...group.rows, after]);
			const [one, other] = group.rows;
			if (other) group.pitch = other.getBoundingClientRect().top - one.getBoundingClientRect().top;
			if (from + size >= tasks.length && !list.complete && !resting) list.more().catch(failed);
		}
		cache = next;
		rove();
		if (held && document.activeElement !== active) (active.isConnected ? active : find(held))?.focus({ preventScroll: true });
	};
	// One row of each list is reached by Tab, the others by arrows.
	const rove = () => {
		for (const { rows } of groups) {
			const stop = rows.find((it) => it.dataset.task === current) ?? rows[0];
			for (const it of rows) it.tabIndex = it === stop ? 0 : -1;
		}
	};

	const close = (id, name) => {
		editors.delete(`${id} ${name}`);
		again(id);
	};
	const again = (id) => {
		const it = cache.get(id);
		if (it) it.task = null;
		place();
	};
	const open = (task, name, state) => {
		const { id } = task;
		const made = editor(task, name, people, () => taskOf(id), () => close(id, name), state);
		editors.set(`${id} ${name}`, made);
		return made;
	};
	const start = (id, name) => {
		const task = taskOf(id);
		if (!fields.includes(name) || !writes(task)) return false;
		const made = editors.get(`${id} ${name}`) ?? open(task, name);
		again(id);
		made.focus();
		const input = document.activeElement;
		if (input.matches('select')) input.showPicker?.();
		else if (input.type === 'text') input.select();
	};
	const change = (id, patch) => {
		const task = taskOf(id);
		if (!writes(task) || Object.keys(patch).every((it) => patch[it] === task[it])) return false;
		edit(task, patch);
	};

	const spot = () => {
		for (const group of groups) {
			const index = group.tasks.findIndex((it) => it.id === current);
			if (index >= 0) return { group, index };
		}
		return { group: groups.find((it) => it.tasks.length > 0) ?? groups[0], index: -1 };
	};
	const focus = (task) => {
		if (!task) return;
		current = task.id;
		find(current)?.focus();
	};
	const walk = (by) => {
		const { group, index } = spot();
		// From a row that is not on the screen any more one starts anew at the first that is.
		const next = find(current) ? index + by : group.from + (group.from > 0 ? NEAR : 0);
		focus(group.tasks[Math.max(0, Math.min(next, group.tasks.length - 1))]);
	};
	const key = (keys, label, act) => shortcut(keys, label, act);
	const onRow = (act) => (event) => (event.target.closest('[data-task]') || event.target === document.body ? current && find(current) && act(current) : false) ?? true;
	key('/', t('filter.text'), () => bar.focus());
	key('j,ArrowDown', t('table.next'), () => walk(1));
	key('k,ArrowUp', t('table.previous'), () => walk(-1));
	key('Enter', t('table.open'), onRow((id) => location.assign(taskHref(taskOf(id)))));
	if (ctx.writes) {
		for (const [letter, name] of Object.entries(EDITS)) if (fields.includes(name)) key(letter, t(`task.${name}`), () => start(current, name));
		STATUSES.forEach((status, index) => key(String(index + 1), t(`status.${status}`), () => change(current, { status })));
		key('Delete', t('task.delete'), onRow((id) => {
			const { group, index } = spot();
			const task = taskOf(id);
			if (!writes(task)) return false;
			remove(task);
			focus(group.tasks[index + 1] ?? group.tasks[index - 1]);
		}));
		key('z', t('outbox.undo'), undo);
	}

	const stop = new AbortController();
	const later = () => {
		cancelAnimationFrame(frame);
		frame = requestAnimationFrame(place);
	};
	addEventListener('scroll', later, { capture: true, passive: true, signal: stop.signal });
	addEventListener('resize', later, { signal: stop.signal });
	leave.push(() => stop.abort(), () => cancelAnimationFrame(frame));
	root.addEventListener('focusin', (event) => {
		current = event.target.closest('[data-task]')?.dataset.task ?? current;
		rove();
	});
	root.addEventListener('click', ({ target }) => {
		const name = target.closest('[data-name]')?.dataset.name;
		if (name && !target.closest('a, .edit')) start(target.closest('[data-task]').dataset.task, name);
	});
	const bar = filterBar(ctx, pick);
	list.onchange = pick;
	return { bar, pick, change, walk, focus, spot, taskOf };
}
