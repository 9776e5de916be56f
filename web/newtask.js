import { creator } from './api.js';
import { button, h, notice } from './dom.js';
import { field, form } from './form.js';
import { t } from './i18n.js';
import { assigneeOptions } from './people.js';
import { PRIORITIES, projectPath, STATUSES } from './tasks.js';

const CHOICES = { status: STATUSES, priority: PRIORITIES };
const KINDS = { title: 'text', description: 'textarea', status: 'select', assignee: 'select', priority: 'select', due_on: 'date', labels: 'labels' };
export const FIELDS = Object.keys(KINDS);

/** The choices of a field; `assigned` is one also after they left. */
export const optionsOf = (name, people, assigned) => CHOICES[name]?.map((it) => [it, t(`${name}.${it}`)]) ?? (name === 'assignee' ? assigneeOptions(people, assigned) : []);

/** The input of one field of a task. */
export const taskField = (name, people, assigned, more) => field({
	name,
	label: t(`task.${name}`),
	kind: KINDS[name],
	options: optionsOf(name, people, assigned),
	value: CHOICES[name]?.[0],
	as: (it) => (/assignee|due_on/.test(name) && !it ? null : it),
	autocomplete: 'off',
	...more,
});

/** A dialog that makes tasks; closed, it keeps what was typed. */
export function newTaskForm({ project, people, list }) {
	const create = creator(`${projectPath(project.id)}/tasks`);
	const fields = FIELDS.map((it) => taskField(it, people));
	const typed = fields.slice(0, 2);
	const onSubmit = async (values) => {
		const made = await create(values);
		list.take(made);
		typed.forEach((it) => it.write(''));
		dialog.close();
		notice(t('board.created', made));
	};
	const extra = button(t('keys.close'), () => dialog.close());
	const dialog = h('dialog', { 'aria-labelledby': 'new-task' }, h('h2', { id: 'new-task' }, t('board.new')), form({ class: 'task-form', fields, submit: t('board.create'), extra, onSubmit }));
	return { node: dialog, open: () => dialog.showModal(), dirty: () => typed.some((it) => it.read()) };
}
