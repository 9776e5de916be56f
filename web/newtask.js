import {creator} from './api.js'
import {button, h, notice, t} from './dom.js'
import {field, form} from './form.js'
import {assigneeOptions} from './people.js'
import {PRIORITIES, projectPath, STATUSES} from './tasks.js'

const KINDS = {title: 'text', description: 'textarea', status: 'select', assignee: 'select', priority: 'select', due_on: 'date', labels: 'labels'}
export const FIELDS = Object.keys(KINDS)
export const CHOICES = {status: STATUSES, priority: PRIORITIES}

export const optionsOf = (name, people, assigned) => (name === 'assignee' ? assigneeOptions(people, assigned) : CHOICES[name]?.map(it => [it, t(`${name}.${it}`)]))

export const taskField = (name, people, assigned, more) => field({
	name,
	label: t(`task.${name}`),
	kind: KINDS[name],
	options: optionsOf(name, people, assigned),
	value: CHOICES[name]?.[0],
	as: it => it || (/assignee|due_on/.test(name) ? null : it),
	autocomplete: 'off',
	...more
})

export function newTaskForm({project, people, list}) {
	const create = creator(`${projectPath(project.id)}/tasks`)
	const fields = FIELDS.map(it => taskField(it, people))
	const close = () => node.close()
	const onSubmit = async values => {
		const made = await create(values)
		list.take(made)
		fields.slice(0, 2).forEach(it => it.write(''))
		close()
		notice(t('board.created', made))
	}
	const node = h('dialog', {'aria-labelledby': 'new-task'}, h('h2', {id: 'new-task'}, t('board.new')),
		form({class: 'task-form', fields, submit: t('board.create'), extra: button(t('keys.close'), close), onSubmit}))
	return {node, open: () => node.showModal()}
}
