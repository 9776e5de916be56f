import * as api from './api.js';
import { button, h, notice, put } from './dom.js';
import { field, form } from './form.js';
import { ago, dateText, t, timeText } from './i18n.js';
import { assigneeOptions, avatar, nameOf, peopleOf } from './people.js';
import * as session from './session.js';
import { PRIORITIES, projectHref, projectPath, STATUSES, taskPath } from './tasks.js';

const FIELDS = ['title', 'description', 'status', 'assignee', 'priority', 'due_on', 'labels'];
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// A task's fields as inputs hold them: an empty text stands for null.
const toInput = (name, value) => (name === 'assignee' || name === 'due_on' ? value ?? '' : value);
const fromInput = (name, value) => (name === 'assignee' || name === 'due_on' ? value || null : value);

/** One task: its fields, and what became of it. */
export async function taskPage({ project: projectId, task: taskId }) {
	const path = taskPath({ project: projectId, id: taskId });
	const [loaded, project, people, firstChanges] = await Promise.all([
		api.get(path), api.get(projectPath(projectId)), peopleOf(projectId), api.page(`${path}/changes`, { limit: 20 }),
	]);
	const zone = session.current().time_zone;
	const writes = project.role !== 'viewer';
	// What the server holds as far as this page knows; an edit is the difference to it.
	let base = loaded;

	const say = (name, value) => {
		if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return t('task.empty');
		if (name === 'status' || name === 'priority') return t(`${name}.${value}`);
		if (name === 'assignee') return nameOf(people, value);
		if (name === 'due_on') return dateText(value);
		if (name === 'labels') return value.join(', ');
		return value;
	};

	const disabled = !writes;
	const fields = [
		field({ name: 'title', label: t('task.title'), required: true, max: 200, autocomplete: 'off', disabled }),
		field({ name: 'description', label: t('task.description'), kind: 'textarea', max: 10000, rows: 7, disabled }),
		field({ name: 'status', label: t('task.status'), kind: 'select', options: STATUSES.map((it) => [it, t(`status.${it}`)]), disabled }),
		field({ name: 'assignee', label: t('task.assignee'), kind: 'select', options: assigneeOptions(people, base.assignee), disabled }),
		field({ name: 'priority', label: t('task.priority'), kind: 'select', options: PRIORITIES.map((it) => [it, t(`priority.${it}`)]), disabled }),
		field({ name: 'due_on', label: t('task.due_on'), kind: 'date', disabled }),
		field({ name: 'labels', label: t('task.labels'), kind: 'labels', disabled }),
	];
	const byName = new Map(fields.map((it) => [it.name, it]));
	const read = (name) => fromInput(name, byName.get(name).read());
	const write = (task, names = FIELDS) => names.forEach((name) => byName.get(name).write(toInput(name, task[name])));
	const edited = () => FIELDS.filter((name) => !same(read(name), base[name]));
	write(base);

	const heading = h('h1', { tabindex: -1 }, base.title);
	const facts = h('p.facts');
	const conflict = h('div', { role: 'alert', class: 'conflict-place' });
	const history = h('ol.history');
	const older = button(t('app.more'), async () => {
		const answer = await api.page(`${path}/changes`, { limit: 20, cursor: next });
		history.append(...answer.items.map(entry));
		next = answer.next_cursor;
		older.hidden = next === null;
	}, { class: 'quiet more' });
	let next = null;

	const describe = (change) => ({ name, from, to }) => {
		const label = h('span.history-field', t(`task.${name}`));
		if (name === 'description') {
			const text = h('p.history-text', { hidden: true });
			const show = button(t('task.showText'), async () => {
				const body = await api.get(`${path}/changes/${change.version}`);
				put(text, say('description', body.description));
				text.hidden = false;
				show.remove();
			}, { class: 'link' });
			return h('li', label, ' ', show, text);
		}
		const before = say(name, from);
		const nothing = before === t('task.empty');
		return h('li', label, ' ', !nothing && [h('del', before), ' → '], h('ins', say(name, to)));
	};
	const entry = (change) => {
		const name = nameOf(people, change.actor);
		// A first entry repeats what the task was created with, its title among it, which stands above.
		const shown = change.kind === 'created' ? change.fields.filter((it) => it.name !== 'title') : change.fields;
		return h('li', avatar(name), h('div', {},
			h('p', h('strong', name), ' ', t(`history.${change.kind}`), ' ', h('time', { datetime: change.at, title: timeText(change.at, zone) }, ago(change.at))),
			shown.length > 0 && h('ul', shown.map(describe(change)))));
	};
	const drawHistory = ({ items, next_cursor }) => {
		put(history, items.map(entry));
		next = next_cursor;
		older.hidden = next === null;
	};
	const drawFacts = () => {
		put(heading, base.title);
		put(facts, t('task.facts', { name: nameOf(people, base.created_by), when: timeText(base.created_at, zone) }));
	};
	drawFacts();
	drawHistory(firstChanges);

	const save = async () => {
		const names = edited();
		if (names.length === 0) return notice(t('task.unchanged'));
		const patch = Object.fromEntries(names.map((name) => [name, read(name)]));
		try {
			base = (await api.request('PATCH', path, { body: patch, version: base.version })).body;
		} catch (error) {
			if (error.status === 412 && error.body.current) return showConflict(error.body.current, names);
			throw error;
		}
		put(conflict);
		write(base);
		drawFacts();
		notice(t('form.saved'));
		drawHistory(await api.page(`${path}/changes`, { limit: 20 }));
	};

	const showConflict = async (now, mine) => {
		const theirs = FIELDS.filter((name) => !same(base[name], now[name]));
		base = now;
		write(now, FIELDS.filter((name) => !mine.includes(name)));
		drawFacts();
		const contested = mine.filter((name) => !same(read(name), now[name]));
		const row = (name) => h('tr', h('th', { scope: 'row' }, t(`task.${name}`)), h('td', say(name, now[name])), h('td', mine.includes(name) ? say(name, read(name)) : t('conflict.untouched')));
		const title = h('h2', { tabindex: -1 }, t('conflict.title'));
		put(conflict, h('section.card.conflict', title,
			h('p', t('conflict.text', { name: nameOf(people, now.updated_by), when: ago(now.updated_at) })),
			h('table', h('thead', h('tr', h('td'), h('th', { scope: 'col' }, t('conflict.now')), h('th', { scope: 'col' }, t('conflict.yours')))), h('tbody', [...new Set([...theirs, ...contested])].map(row))),
			h('div.actions',
				button(t('conflict.mine'), save, { class: 'primary' }),
				button(t('conflict.theirs'), () => {
					write(now);
					put(conflict);
					byName.get('title').focus();
				}))));
		title.focus();
		drawHistory(await api.page(`${path}/changes`, { limit: 20 }));
	};

	const remove = button(t('task.delete'), async () => {
		if (!confirm(t('task.deleteSure', { title: base.title }))) return;
		await api.request('DELETE', path, { version: base.version });
		notice(t('task.deleted'));
		location.assign(projectHref(projectId));
	}, {
		class: 'danger',
		failed: (error) => (error.status === 412 && error.body.current ? showConflict(error.body.current, edited()) : notice(error.message)),
	});

	const fieldset = h('div.fields', fields.map((it) => it.node));
	return {
		title: base.title,
		node: h('div.wide',
			h('p.crumbs', h('a', { href: '#/projects' }, t('nav.projects')), ' / ', h('a', { href: projectHref(projectId) }, project.name)),
			h('div.title-row', h('div', heading, facts)),
			conflict,
			h('div.split',
				h('section.card', { 'aria-label': t('task.edit') }, writes
					? form({ class: 'task-form', fields, submit: t('form.save'), extra: [remove], onSubmit: save })
					: [h('p.hint', t('task.readOnly')), h('div.form.task-form', fieldset)]),
				h('section.card', { 'aria-labelledby': 'history' }, h('h2', { id: 'history' }, t('history.title')), history, older))),
		dirty: () => writes && edited().length > 0,
	};
}
