import { creator } from './api.js';
import { button, h, notice } from './dom.js';
import { field, form } from './form.js';
import { t } from './i18n.js';
import { assigneeOptions } from './people.js';
import { PRIORITIES, projectPath, STATUSES } from './tasks.js';

const choices = (group, values) => ({ kind: 'select', options: values.map((it) => [it, t(`${group}.${it}`)]), value: values[0] });
const KINDS = {
	title: () => ({ required: true, max: 200, autocomplete: 'off' }),
	description: () => ({ kind: 'textarea', max: 10000 }),
	status: () => choices('status', STATUSES),
	assignee: (people, assigned) => ({ kind: 'select', options: assigneeOptions(people, assigned) }),
	priority: () => choices('priority', PRIORITIES),
	due_on: () => ({ kind: 'date' }),
	labels: () => ({ kind: 'labels' }),
};
export const FIELDS = Object.keys(KINDS);

/** The input of one field of a task; `assigned` stays a choice also after they left. */
export const taskField = (name, people, assigned = null, attributes = {}) => field({ name, label: t(`task.${name}`), ...KINDS[name](people, assigned), ...attributes });

/** A dialog that makes tasks; closed, it keeps what was typed. */
export function newTaskForm({ project, people, list }) {
	const create = creator(`${projectPath(project.id)}/tasks`);
	const fields = FIELDS.map((it) => taskField(it, people));
	const made = form({
		class: 'task-form',
		fields,
		submit: t('board.create'),
		extra: [button(t('board.close'), () => dialog.close(), { class: 'quiet' })],
		onSubmit: async (values) => {
			const task = await create(Object.fromEntries(Object.entries(values).filter(([, it]) => it.length > 0)));
			list.take(task);
			for (const it of fields) if (/title|description/.test(it.name)) it.write('');
			dialog.close();
			notice(t('board.created', { title: task.title }));
		},
	});
	const dialog = h('dialog', { 'aria-labelledby': 'new-task' }, h('h2', { id: 'new-task' }, t('board.new')), made);
	return { node: dialog, open: () => dialog.showModal(), dirty: () => fields[0].read() !== '' || fields[1].read() !== '' };
}
