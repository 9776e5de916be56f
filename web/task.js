import * as api from './api.js';
import { conflictCard } from './conflict.js';
import { button, h, put } from './dom.js';
import { changeLog } from './history.js';
import { t, timeText } from './i18n.js';
import { shortcut } from './keys.js';
import { follow } from './live.js';
import { FIELDS, taskField } from './newtask.js';
import * as outbox from './outbox.js';
import { nameOf, peopleOf } from './people.js';
import { current } from './session.js';
import { subscription } from './subscription.js';
import { projectHref, projectPath, STATUSES, taskPath } from './tasks.js';

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** One task. Each field saves itself when it is left, and shows what others do while nobody is in it. */
export async function taskPage({ project: projectId, task: id }) {
	const path = taskPath({ project: projectId, id });
	const home = projectHref(projectId);
	// The list one came from, as it was filtered.
	const before = window.navigation?.entries()[navigation.currentEntry.index - 1]?.url;
	const back = () => location.assign(/#(?!.*\/tasks\/)/.test(before) ? before : home);
	const fields = {};
	shortcut('e', t('task.title'), () => fields.title?.focus());
	STATUSES.forEach((status, index) => shortcut(`${index + 1}`, t(`status.${status}`), () => writes && outbox.edit(base, { status })));
	shortcut('Escape', t('task.back'), back);
	let [base, project, people, choice] = await Promise.all([api.get(path), api.get(projectPath(projectId)), peopleOf(projectId), subscription(path)]);
	const writes = project.role !== 'viewer';
	const zone = current().time_zone;
	const log = await changeLog(`${path}/changes`, { people, zone, project });
	const heading = h('h1');
	const trouble = h('div', { role: 'alert' });
	let told;

	// The task as each field last showed it: nobody else writes into a field that somebody is in or has edited.
	const seen = {};
	const shown = () => ({ ...(outbox.overlay(base) ?? base), ...outbox.stateOf(id)?.patch });
	const isEdited = (name) => !same(fields[name].read(), seen[name][name]);
	const keep = (name) => {
		seen[name] = { ...shown(), [name]: fields[name].read() };
	};
	const settle = (name) => {
		if (!isEdited(name)) return draw();
		if (!fields[name].check()) return;
		const task = seen[name];
		keep(name);
		outbox.edit(task, { [name]: fields[name].read() });
	};
	const draw = () => {
		const task = shown();
		const { conflict, refused } = outbox.stateOf(id) ?? {};
		for (const name of FIELDS) {
			const { node, read, write, show } = fields[name];
			const wrong = refused?.fields.find(({ pointer }) => pointer.split('/')[1] === name);
			if (wrong || !isEdited(name)) show(wrong?.detail);
			if (isEdited(name) || node.contains(document.activeElement)) continue;
			if (!same(read(), task[name])) write(task[name] ?? '');
			keep(name);
		}
		put(heading, task.title);
		if (told === (told = conflict ?? refused)) return;
		put(trouble, conflict ? conflictCard(id, people)
			: refused && h('p.form-error', refused.message, ' ', button(t('task.discard'), () => outbox.resolve(id, null))));
	};
	for (const name of FIELDS) {
		const as = /assignee|due_on/.test(name) ? (it) => it || null : undefined;
		const { node, read } = fields[name] = taskField(name, people, base.assignee, { as, disabled: !writes });
		keep(name);
		node.addEventListener('focusout', () => settle(name));
		// A year comes digit by digit.
		node.addEventListener('change', () => (name === 'due_on' && read() < '1000') || settle(name));
	}
	const take = (task) => {
		if (task?.version >= base.version) base = task;
		draw();
	};
	const hear = ({ detail }) => detail.id === id && take(detail.task);
	addEventListener('outbox', hear);
	const stop = follow(projectId, async (changes) => {
		const news = changes.filter((it) => it.task === id);
		log.add(news);
		const { kind, actor, version } = news.at(-1) ?? {};
		if (kind === 'deleted') put(trouble, h('p.form-error', t('task.gone', { name: nameOf(people, actor) })));
		else if (version > base.version) take(await api.get(path));
	});
	draw();

	const [title, description, ...rest] = FIELDS.map((it) => fields[it].node);
	const remove = () => {
		outbox.remove(base);
		back();
	};
	return {
		title: base.title,
		node: h('div.wide',
			h('p.crumbs', h('a', { href: home }, project.name)),
			heading, trouble,
			h('div.split',
				h('section.card.fields', title, description),
				h('section.card.fields.pairs', rest, choice,
					h('p.hint', t('task.facts', { name: nameOf(people, base.created_by), when: timeText(base.created_at, zone) })),
					writes && button(t('task.delete'), remove, { class: 'danger' })),
				h('section.card', h('h2', t('history.title')), log.node))),
		dirty: () => FIELDS.some(isEdited),
		leave() {
			FIELDS.forEach(settle);
			stop();
			removeEventListener('outbox', hear);
		},
	};
}
