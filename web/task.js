import {get} from './api.js'
import {conflictCard} from './conflict.js'
import {button, h, put, t} from './dom.js'
import {changeLog} from './history.js'
import {shortcut} from './keys.js'
import {follow} from './live.js'
import {FIELDS, taskField} from './newtask.js'
import {subscription} from './notifications.js'
import {edit, overlay, remove, same, stateOf} from './outbox.js'
import {nameOf, peopleOf} from './people.js'
import {projectHref, projectPath, STATUSES, taskPath} from './tasks.js'

export async function taskPage({project: projectId, task: id}) {
	const path = taskPath({project: projectId, id})
	const home = projectHref(projectId)
	const before = window.navigation?.entries()[navigation.currentEntry.index - 1]?.url
	const back = () => location.assign(/#(?!.*\/tasks\/)/.test(before) ? before : home)
	shortcut('e', t('task.title'), () => fields[0].focus())
	STATUSES.forEach((status, index) => shortcut(index + 1, t(`status.${status}`), () => writes && edit(base, {status})))
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
		if (told !== now) put(trouble, (told = now) && conflictCard(id, people))
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
