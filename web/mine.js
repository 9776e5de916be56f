import {all} from './api.js'
import {h, t} from './dom.js'
import {fresh} from './live.js'
import {tableView} from './table.js'
import {TaskList} from './tasks.js'

/** My tasks over all projects. */
export async function myTasksPage({query}) {
	const list = new TaskList('/v1/tasks', {assignee: 'me'})
	const [projects] = await Promise.all([all('/v1/projects'), list.more()])
	const title = t('nav.mine')
	// A poll for each project, so not of many.
	const leave = [() => list.close(), ...projects.slice(0, 3).map(it => fresh(list, it.id))]
	const ctx = {title, people: new Map(), projects: new Map(projects.map(it => [it.id, it.name])), list, query, writes: true, leave}
	return {
		title,
		node: h('div.wide', h('h1', title), tableView(ctx, ['title', 'project', 'status', 'priority', 'due_on', 'labels', 'updated_at'])),
		leave: () => leave.forEach(it => it())
	}
}
