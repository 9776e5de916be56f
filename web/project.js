import * as api from './api.js';
import { button, empty, h, notice, put } from './dom.js';
import { field, form } from './form.js';
import { t } from './i18n.js';
import { assigneeOptions, avatar, nameOf, peopleOf } from './people.js';
import * as session from './session.js';
import { PRIORITIES, projectHref, projectPath, STATUSES, taskHref, taskMarks, taskPath } from './tasks.js';

const ROLES = ['viewer', 'editor', 'owner'];

/** The projects I am a member of. */
export async function projectsPage() {
	const projects = await api.all('/v1/projects');
	const create = api.creator('/v1/projects');
	const name = field({ name: 'name', label: t('projects.name'), required: true, max: 100, autocomplete: 'off' });
	return {
		title: t('nav.projects'),
		node: h('div.narrow',
			h('h1', { tabindex: -1 }, t('nav.projects')),
			projects.length === 0
				? empty(t('projects.emptyTitle'), t('projects.empty'))
				: h('ul.tiles', projects.map((it) => h('li', h('a.tile', { href: projectHref(it.id) }, avatar(it.name, [...it.name][0]), h('span.tile-name', it.name), h('span.tile-role', t(`role.${it.role}`)))))),
			h('section.card', h('h2', t('projects.create')), form({
				class: 'inline',
				fields: [name],
				submit: t('projects.createSubmit'),
				onSubmit: async (values) => {
					const made = await create(values);
					location.assign(projectHref(made.id));
				},
			}))),
	};
}

/** One project: its tasks by status, and its people. */
export async function projectPage({ project: id }) {
	const path = projectPath(id);
	const load = (status, cursor = null) => api.page(`${path}/tasks`, { status, limit: 50, cursor });
	const [project, people, ...pages] = await Promise.all([api.get(path), peopleOf(id), ...STATUSES.map((it) => load(it))]);
	const mine = project.role;
	const writes = mine !== 'viewer';
	const members = [...people.values()].filter((it) => !it.left_at).sort((a, b) => a.name.localeCompare(b.name));
	const columns = new Map(STATUSES.map((status, index) => [status, { tasks: pages[index].items, next: pages[index].next_cursor }]));

	const board = h('div.board');
	const draw = () => put(board, STATUSES.map(column));

	const replace = (after) => {
		for (const [status, { tasks }] of columns) {
			const place = tasks.findIndex((it) => it.id === after.id);
			if (place < 0) continue;
			if (status === after.status) {
				tasks[place] = after;
				return draw();
			}
			tasks.splice(place, 1);
		}
		columns.get(after.status).tasks.unshift(after);
		draw();
	};
	const change = async (task, patch, focus) => {
		const drawn = `[data-task="${CSS.escape(task.id)}"]`;
		// Drawn anew, enabled, with the answer: a second click would only find that the first was faster.
		board.querySelectorAll(`${drawn} :is(button, select)`).forEach((it) => {
			it.disabled = true;
		});
		try {
			replace((await api.request('PATCH', taskPath(task), { body: patch, version: task.version })).body);
		} catch (error) {
			draw();
			if (error.status !== 412 || !error.body.current) return notice(error.message);
			const now = error.body.current;
			replace(now);
			notice(t('board.stale', { title: now.title, name: nameOf(people, now.updated_by), status: t(`status.${now.status}`) }));
		}
		board.querySelector(`${drawn} ${focus}`)?.focus();
	};

	const card = (task) => {
		const index = STATUSES.indexOf(task.status);
		const step = (by, sign) => {
			const to = STATUSES[index + by];
			return to ? h('button', { type: 'button', class: 'step', 'aria-label': t('board.move', { title: task.title, status: t(`status.${to}`) }), title: t(`status.${to}`), onclick: () => change(task, { status: to }, 'a') }, sign) : null;
		};
		const assign = h('select', {
			class: 'assign',
			'aria-label': t('board.assignee', { title: task.title }),
			onchange: () => change(task, { assignee: assign.value || null }, '.assign'),
		}, assigneeOptions(people, task.assignee).map(([value, text]) => h('option', { value, selected: value === (task.assignee ?? '') }, text)));
		const name = task.assignee && nameOf(people, task.assignee);
		return h('li.task', { 'data-task': task.id },
			h('a.task-title', { href: taskHref(task) }, task.title),
			taskMarks(task),
			h('div.task-foot',
				task.assignee ? avatar(name) : h('span.avatar.none', { 'aria-hidden': 'true' }, '+'),
				writes ? assign : h('span.task-who', name ?? t('task.nobody')),
				writes && h('span.steps', step(-1, '←'), step(1, '→'))));
	};
	const column = (status) => {
		const { tasks, next } = columns.get(status);
		return h('section.column', { 'aria-label': t(`status.${status}`) },
			h('h2', h('span', { class: `dot ${status}`, 'aria-hidden': 'true' }), t(`status.${status}`), h('span.count', `${tasks.length}${next === null ? '' : '+'}`)),
			tasks.length === 0 ? h('p.column-empty', t('board.none')) : h('ul', tasks.map(card)),
			next !== null && button(t('app.more'), async () => {
				const answer = await load(status, next);
				const shown = new Set(tasks.map((it) => it.id));
				columns.set(status, { tasks: [...tasks, ...answer.items.filter((it) => !shown.has(it.id))], next: answer.next_cursor });
				draw();
			}, { class: 'quiet more' }));
	};
	draw();

	const panel = h('div', { id: 'panel', class: 'panel' });
	const panels = {
		task: () => newTask(path, people, (made) => {
			columns.get(made.status).tasks.unshift(made);
			draw();
			notice(t('board.created', { title: made.title }));
		}),
		people: () => peoplePanel(project, members, mine),
	};
	const openers = [];
	let shown = null;
	const open = (name) => {
		shown = shown === name ? null : name;
		openers.forEach(([it, opener]) => opener.setAttribute('aria-expanded', String(it === shown)));
		put(panel, shown && panels[shown]());
		if (shown) panel.querySelector('input, select, button')?.focus();
	};
	const opener = (name, label, kind) => {
		const element = button(label, () => open(name), { class: kind, 'aria-expanded': 'false', 'aria-controls': 'panel' });
		openers.push([name, element]);
		return element;
	};
	const peopleLabel = [h('span.faces', members.slice(0, 4).map((it) => avatar(it.name))), h('span', t('people.title')), h('span.count', String(members.length))];
	return {
		title: project.name,
		node: h('div.wide',
			h('p.crumbs', h('a', { href: '#/projects' }, t('nav.projects'))),
			h('div.title-row', h('h1', { tabindex: -1 }, project.name), h('div.actions', opener('people', peopleLabel, 'people-button'), writes && opener('task', t('board.new'), 'primary'))),
			panel,
			board),
	};
}

function newTask(path, people, done) {
	const create = api.creator(`${path}/tasks`);
	const fields = [
		field({ name: 'title', label: t('task.title'), required: true, max: 200, autocomplete: 'off' }),
		field({ name: 'assignee', label: t('task.assignee'), kind: 'select', options: assigneeOptions(people, null) }),
		field({ name: 'priority', label: t('task.priority'), kind: 'select', options: PRIORITIES.map((it) => [it, t(`priority.${it}`)]), value: 'none' }),
		field({ name: 'due_on', label: t('task.due_on'), kind: 'date' }),
		field({ name: 'description', label: t('task.description'), kind: 'textarea', max: 10000, rows: 3 }),
	];
	return h('section.card', h('h2', t('board.new')), form({
		class: 'task-form compact',
		fields,
		submit: t('board.create'),
		onSubmit: async ({ title, assignee, priority, due_on, description }) => {
			const made = await create({
				title,
				priority,
				...(description && { description }),
				...(assignee && { assignee }),
				...(due_on && { due_on }),
			});
			fields[0].write('');
			fields[4].write('');
			fields[0].focus();
			done(made);
		},
	}));
}

function peoplePanel(project, members, mine) {
	const me = session.current().id;
	const invite = form({
		class: 'inline',
		fields: [
			field({ name: 'email', label: t('people.inviteEmail'), kind: 'email', required: true, autocomplete: 'off' }),
			field({ name: 'role', label: t('people.role'), kind: 'select', options: ROLES.map((it) => [it, t(`role.${it}`)]), value: 'editor' }),
		],
		submit: t('people.invite'),
		onSubmit: async ({ email, role }) => {
			await api.request('POST', `${projectPath(project.id)}/invitations`, { body: { email, role } });
			invite.reset();
			notice(t('people.invited', { email }));
		},
	});
	const person = ({ user, name, role }) => h('li.person', avatar(name), h('span.grow', name, user === me && h('span.you', t('people.you'))), h('span.hint', t(`role.${role}`)));
	return h('section.card.people', h('h2', t('people.title')), h('ul.persons', members.map(person)), mine === 'owner' && [h('h3', t('people.inviteTitle')), invite]);
}
