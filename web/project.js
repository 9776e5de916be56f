import {get} from './api.js'
import {boardView} from './board.js'
import {button, h, t} from './dom.js'
import {activityView} from './history.js'
import {shortcut} from './keys.js'
import {fresh} from './live.js'
import {membersView} from './members.js'
import {newTaskForm} from './newtask.js'
import {subscription} from './notifications.js'
import {overviewView} from './overview.js'
import {peopleOf} from './people.js'
import {current} from './session.js'
import {tableView} from './table.js'
import {projectHref, projectPath, TaskList} from './tasks.js'

const VIEWS = {'': tableView, board: boardView, overview: overviewView, activity: activityView, people: membersView}

export async function projectPage({project: id, view = '', query, left}) {
	const path = projectPath(id)
	const list = new TaskList(`${path}/tasks`)
	const isList = !view || view === 'board'
	const [project, people, mode] = await Promise.all([get(path), peopleOf(id), subscription(path), isList && list.more()])
	const writes = project.role !== 'viewer'
	const leave = [() => list.close()]
	if (left()) return {leave: leave[0]}
	const ctx = {title: project.name, project, people, list, query, zone: current().time_zone, writes, leave}
	const task = newTaskForm(ctx)
	const tabs = Object.keys(VIEWS).map(it => h('a', {href: projectHref(id, it), 'aria-current': it === view && 'page'}, t(`board.${it || 'table'}`)))
	// The filter goes along.
	const onclick = ({target}) => target.hash && (target.hash = `${target.hash.split('?')[0]}${/\?.*|$/.exec(location.hash)[0]}`)
	if (writes) shortcut('n', t('board.new'), task.open)
	shortcut('b', `${t('board.board')}, ${t('board.table')}`, () => tabs[view === 'board' ? 0 : 1].click())
	const body = await VIEWS[view](ctx)
	if (isList) leave.push(fresh(list, id))
	return {
		title: project.name,
		node: h('div.wide',
			h('div.title-row', h('h1', project.name), h('div.actions', mode, writes && button(t('board.new'), task.open, {class: 'primary'}))),
			h('nav.tabs', {'aria-label': t('board.views'), onclick}, tabs),
			body,
			task.node),
		leave: () => leave.forEach(it => it())
	}
}
