import {get} from './api.js'
import {button, h, put} from './dom.js'
import {FIELDS, taskField} from './fields.js'
import {changeLog, valueText} from './history.js'
import {ago, t} from './i18n.js'
import {shortcut} from './keys.js'
import {follow} from './live.js'
import {subscription} from './notifications.js'
import {edit, overlay, remove, resolve, same, stateOf} from './outbox.js'
import {nameOf, peopleOf} from './people.js'
import {projectHref, projectPath, STATUSES, taskPath} from './tasks.js'

function conflictCard(id, people, conflict, {...patch}) {
	const choice = (name, side, task) => h('label.card',
		h('input', {type: 'radio', name, value: side, checked: side === 'yours'}), h('b', t(`conflict.${side}`)), h('span', valueText(name, task[name], people)))
	const onsubmit = event => {
		event.preventDefault()
		resolve(id, Object.fromEntries([...new FormData(event.target)].filter(([, side]) => side === 'yours').map(([name]) => [name, patch[name]])))
	}
	return h('form.card.fields.conflict', {onsubmit},
		h('div', h('h2', t('conflict.title')), t('conflict.text', {name: nameOf(people, conflict.updated_by), when: ago(conflict.updated_at)})),
		Object.keys(patch).map(name => h('fieldset.fields.pairs', h('legend', t(`task.${name}`)), choice(name, 'now', conflict), choice(name, 'yours', patch))),
		h('div.actions', h('button.primary', {type: 'submit'}, t('form.save')), button(t('conflict.theirs'), () => resolve(id))))
}

export async function taskPage({project: projectId, task: id}) {
	const path = taskPath({project: projectId, id})
	const home = projectHref(projectId)
	const before = window.navigation?.entries()[navigation.currentEntry.index - 1]?.url
	const back = () => location.assign(/#(?!.*\/tasks\/)/.test(before) ? before : home)
	shortcut('e', t('task.title'), () => fields[0].focus())
	STATUSES.forEach((it, index) => shortcut(`${index + 1}`, t(`status.${it}`), () => writes && edit(base, {status: it})))
	shortcut('Escape', t('task.back'), back)
	let [base, project, people, choice] = await Promise.all([get(path), get(projectPath(projectId)), peopleOf(projectId), subscription(path)])
	const writes = project.role !== 'viewer'
	const log = await changeLog(`${path}/changes`, {people, project})
	const fields = FIELDS.map(it => taskField(it, people, base.assignee, {disabled: !writes}))
	const heading = h('h1')
	const trouble = h('div', {role: 'alert'})
	let told
	const isEdited = ({name, read, seen}) => seen && !same(read(), seen[name])
	const draw = () => {
		const {conflict, refused, patch} = stateOf(id) ?? {}
		const task = {...(overlay(base) ?? base), ...patch}
		for (const it of fields) {
			const {name, node, read, show, write} = it
			show(refused?.wrong[name])
			if (isEdited(it) || node.contains(document.activeElement)) continue
			if (!same(read(), task[name])) write(task[name] ?? '')
			it.seen = {...base, [name]: read()}
		}
		put(heading, task.title || base.title)
		const now = conflict && `${Object.keys(patch)}`
		if (told !== now) put(trouble, (told = now) && conflictCard(id, people, conflict, patch))
	}
	const settle = ({type, target}) => {
		const it = fields.find(({node}) => node.contains(target))
		// A year comes digit by digit.
		if (!it || (type === 'change' && it.name === 'due_on' && !(it.read() > '1'))) return
		if (!isEdited(it)) return draw()
		const patch = {[it.name]: it.read()}
		edit(it.seen, patch)
		it.seen = {...it.seen, ...patch}
	}
	const take = ({detail: {task}}) => {
		if (task?.id === id && task.version >= base.version) base = task
		draw()
	}
	addEventListener('outbox', take)
	const stop = follow(projectId, async changes => {
		const news = changes.filter(it => it.task === id)
		log.add(news)
		const {kind, actor, version} = news.at(-1) ?? {}
		if (kind === 'deleted') put(trouble, h('p.form-error', h('b', nameOf(people, actor)), ' ', t('history.deleted')))
		else if (version > base.version) take({detail: {task: await get(path)}})
	})
	draw()

	const [title, description, ...rest] = fields.map(it => it.node)
	return {
		title: base.title,
		node: h('div.wide', {onchange: settle, onfocusout: settle},
			h('p.crumbs', h('a', {href: home}, project.name)), heading, trouble,
			h('div.split',
				h('section.card.fields', title, description),
				h('section.card.fields.pairs', rest, choice, writes && button(t('task.delete'), () => back(remove(base)), {class: 'danger'})),
				h('section.fields', h('h2', t('history.title')), log.node))),
		dirty: () => fields.some(isEdited),
		leave() {
			for (const {node} of fields) settle({target: node})
			stop()
			removeEventListener('outbox', take)
		}
	}
}
