import {h, put, t} from './dom.js'
import {field} from './form.js'
import {locale} from './i18n.js'
import {assigneeOptions, nameOf} from './people.js'
import {current} from './session.js'
import {PRIORITIES, STATUSES} from './tasks.js'

const KINDS = {title: 'text', description: 'textarea', status: 'select', assignee: 'select', priority: 'select', due_on: 'date', labels: 'labels'}
export const FIELDS = Object.keys(KINDS)
const CHOICES = {status: STATUSES, priority: PRIORITIES}

export const taskField = (name, people, assigned, more) => field({
	name,
	label: t(`task.${name}`),
	kind: KINDS[name],
	options: name === 'assignee' ? assigneeOptions(people, assigned) : CHOICES[name]?.map(it => [it, t(`${name}.${it}`)]),
	value: CHOICES[name]?.[0],
	as: it => it || (/assignee|due_on/.test(name) ? null : it),
	autocomplete: 'off',
	...more
})

export const columnsOf = ({projects}) => ['title', 'status', projects ? 'project' : 'assignee', 'priority', 'due_on', 'labels', 'updated_at']

export function chosen({list, query, people, projects}) {
	const {status, assignee = list.query.assignee, label, text = '', sort = ''} = Object.fromEntries(query)
	const who = assignee === 'me' ? current()?.id : assignee
	const words = text.toLowerCase().split(/\s+/)
	const found = list.tasks.filter(task => (!status || task.status === status)
		&& (!who || (task.assignee ?? 'nobody') === who)
		&& (!label || task.labels.includes(label))
		&& words.every(it => task.title.toLowerCase().includes(it)))
	const name = sort.replace('-', '')
	if (!name) return found
	const value = it => CHOICES[name]?.indexOf(it) ?? (!it?.length ? null : name === 'assignee' ? nameOf(people, it) : name === 'project' ? projects.get(it) : it)
	const {compare} = new Intl.Collator(locale, {numeric: true})
	return found.map(task => [value(task[name]), task])
		.sort(([a], [b]) => (a === null) - (b === null) || (name === sort ? compare(a, b) : compare(b, a)))
		.map(([, task]) => task)
}

export function filterBar(ctx, change) {
	const {query, people} = ctx
	const address = location.hash.split('?')[0]
	const sorts = columnsOf(ctx)
	if (!sorts.includes(query.get('sort')?.replace('-', ''))) query.delete('sort')
	const choice = (name, options, text = t(`task.${name}`)) => field({name, label: text, kind: 'select', options: [['', text], ...options]})
	const labels = choice('label', [], t('task.labels'))
	const inputs = [
		field({name: 'text', label: t('filter.text'), type: 'search', placeholder: t('filter.text')}),
		choice('status', STATUSES.map(it => [it, t(`status.${it}`)])),
		people.size && choice('assignee', [['me', t('filter.me')], ['nobody', t('task.nobody')], ...assigneeOptions(people, query.get('assignee')).slice(1)]),
		labels,
		choice('sort', sorts.flatMap(it => [[it, `${t(`task.${it}`)} ↑`], [`-${it}`, `${t(`task.${it}`)} ↓`]]), t('filter.sort'))
	].filter(Boolean)
	const clear = h('a', {href: address}, t('filter.clear'))
	const count = h('span.count', {role: 'status'})
	const known = new Set()
	const ask = (name, value) => {
		if (value) query.set(name, value)
		else query.delete(name)
		history.replaceState(null, '', query.size ? `${address}?${query}` : address)
		change()
	}
	return {
		node: h('search.filters', {oninput: ({target}) => ask(target.name, target.value)}, inputs.map(it => it.node), clear, count),
		ask,
		focus: inputs[0].focus,
		show(found, {tasks, complete}) {
			for (const it of tasks.flatMap(task => task.labels)) if (!known.has(it) && known.add(it)) labels.input.append(h('option', {value: it}, it))
			for (const {input, name} of inputs) if (input !== document.activeElement) input.value = query.get(name) ?? ''
			clear.hidden = !query.size
			put(count, t('filter.count', {count: found.toLocaleString(locale) + (complete ? '' : '+')}))
		}
	}
}
