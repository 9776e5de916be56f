import {all, creator, get, page} from './api.js'
import {button, empty, h, notice, t} from './dom.js'
import {FIELDS, taskField} from './fields.js'
import {form} from './form.js'
import {changeLog} from './history.js'
import {shortcut} from './keys.js'
import {follow, fresh} from './live.js'
import {membersView} from './members.js'
import {subscription} from './notifications.js'
import {overviewView} from './overview.js'
import {peopleOf} from './people.js'
import {current} from './session.js'
import {boardView, tableView} from './table.js'
import {projectHref, projectPath, TaskList} from './tasks.js'

const VIEWS = {'': tableView, board: boardView, overview: overviewView, activity: activityView, people: membersView}

async function activityView(ctx) {
	const {id} = ctx.project
	const {node, add} = await changeLog(`${projectPath(id)}/changes`, {...ctx, withTask: true})
	ctx.leave.push(follow(id, add))
	return h('div.fields', node)
}

function newTask(path, people, list) {
	const create = creator(path)
	const fields = FIELDS.map(it => taskField(it, people))
	const close = () => dialog.close()
	const onSubmit = async values => {
		const made = await create(values)
		list.take(made)
		fields.slice(0, 2).forEach(it => it.write(''))
		close()
		notice(t('board.created', made))
	}
	const name = t('board.new')
	const dialog = h('dialog', {'aria-label': name}, h('h2', name),
		form({class: 'task-form', fields, submit: t('board.create'), extra: button(t('keys.close'), close), onSubmit}))
	return dialog
}

export async function projectPage({project: id, view = '', query, left}) {
	const path = projectPath(id)
	const list = new TaskList(`${path}/tasks`)
	const leave = [() => list.close()]
	const end = () => leave.forEach(it => it())
	const isList = !view || view === 'board'
	const [project, people, mode] = await Promise.all([get(path), peopleOf(id), subscription(path), isList && list.more()])
	if (left()) return {leave: end}
	const title = project.name
	const writes = project.role !== 'viewer'
	const ctx = {title, project, people, list, query, zone: current().time_zone, writes, leave}
	const task = newTask(list.path, people, list)
	const open = () => task.showModal()
	const tabs = Object.keys(VIEWS).map(it => h('a', {href: projectHref(id, it), 'aria-current': it === view && 'page'}, t(`board.${it || 'table'}`)))
	const onclick = ({target}) => target.hash && (target.hash = target.hash.split('?')[0] + location.hash.replace(/[^?]*/, ''))
	if (writes) shortcut('n', t('board.new'), open)
	shortcut('b', `${t('board.board')}, ${t('board.table')}`, () => tabs[view === 'board' ? 0 : 1].click())
	const body = await VIEWS[view](ctx)
	if (isList) leave.push(fresh(list, id))
	const head = h('div.title-row', h('h1', title), h('div.actions', mode, writes && button(t('board.new'), open, {class: 'primary'})))
	return {title, node: h('div.wide', head, h('nav.tabs', {'aria-label': t('board.views'), onclick}, tabs), body, task), leave: end}
}

export async function myTasksPage({query, left}) {
	const list = new TaskList('/v1/tasks', {assignee: 'me'})
	const leave = [() => list.close()]
	const end = () => leave.forEach(it => it())
	const [projects] = await Promise.all([all('/v1/projects'), list.more()])
	if (left()) return {leave: end}
	const poll = () => setTimeout(async () => {
		if (!list.onchange) return
		if (!document.hidden) await page(list.path, {...list.query, limit: 100}).then(({items, next_cursor: more}) => {
			items.forEach(it => list.take(it))
			if (list.complete && !more) for (const {id} of list.tasks) if (!items.some(it => it.id === id)) list.drop(id)
		}, () => {})
		poll()
	}, 1500)
	poll()
	const title = t('nav.mine')
	const none = empty(t('board.none'), t('mine.empty'), h('a.button.primary', {href: '#/projects'}, t('nav.projects')))
	const ctx = {title, none, people: new Map(), projects: new Map(projects.map(it => [it.id, it.name])), list, query, writes: true, leave}
	return {title, node: h('div.wide', h('h1', title), tableView(ctx)), leave: end}
}
