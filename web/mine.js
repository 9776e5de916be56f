import {all, page} from './api.js'
import {empty, h, t} from './dom.js'
import {tableView} from './table.js'
import {TaskList} from './tasks.js'

export async function myTasksPage({query, left}) {
	const asked = {assignee: 'me'}
	const list = new TaskList('/v1/tasks', asked)
	const leave = [() => list.close()]
	const [projects] = await Promise.all([all('/v1/projects'), list.more()])
	if (left()) return {leave: leave[0]}
	// One poll for all projects: of the first hundred tasks.
	const poll = async () => {
		if (!list.onchange) return
		if (!document.hidden) await page('/v1/tasks', {...asked, limit: 100}).then(({items, next_cursor: more}) => {
			items.forEach(it => list.take(it))
			if (list.complete && !more) for (const {id} of list.tasks) if (!items.some(it => it.id === id)) list.drop(id)
		}, () => {})
		setTimeout(poll, 1500)
	}
	setTimeout(poll, 1500)
	const title = t('nav.mine')
	const none = empty(t('board.none'), t('mine.empty'), h('a.button.primary', {href: '#/projects'}, t('nav.projects')))
	const ctx = {title, none, people: new Map(), projects: new Map(projects.map(it => [it.id, it.name])), list, query, writes: true, leave}
	return {
		title,
		node: h('div.wide', h('h1', title), tableView(ctx)),
		leave: () => leave.forEach(it => it())
	}
}
