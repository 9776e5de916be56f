import {h, notice, put, t} from './dom.js'
import {shortcut} from './keys.js'
import {taskRows} from './table.js'
import {STATUSES} from './tasks.js'

export function boardView(ctx) {
	let dragged
	const groups = STATUSES.map(status => {
		const label = t(`status.${status}`)
		const parent = h('ul.cards')
		const count = h('span.count')
		return {status, label, parent, count, node: h('section.card.column', {'aria-label': label}, h('h2', h(`span.dot.${status}`), label, count), parent)}
	})
	const over = target => groups.find(({node}) => node.classList.toggle('over', node.contains(target)))
	const board = h('div.board', {
		ondragstart({target, dataTransfer}) {
			dragged = target.task
			if (dragged) dataTransfer.setData('text/plain', dragged.title)
		},
		ondragover: event => dragged && over(event.target) && event.preventDefault(),
		ondrop(event) {
			event.preventDefault()
			move(dragged, over(event.target).status)
			over(null)
		},
		ondragend: () => over(dragged = null)
	}, groups.map(it => it.node))
	const drawn = () => groups.forEach(({count, tasks}) => put(count, tasks.length))
	const {bar, move, focus, onRow} = taskRows(ctx, {root: board, groups, columns: ['title', 'priority', 'due_on', 'labels', 'assignee'], drawn})
	for (const [arrow, by] of [['ArrowLeft', -1], ['ArrowRight', 1]]) {
		const beside = act => onRow(({group, index, task}) => {
			const to = groups[groups.indexOf(group) + by]
			return to && act(to, index, task)
		})
		shortcut(arrow, t('board.beside'), beside(focus))
		if (ctx.writes) shortcut(`Shift+${arrow}`, t('board.move'), beside(({status, label}, index, task) => {
			move(task, status)
			notice(`${task.title}: ${label}`)
		}))
	}
	return h('div.work', bar.node, board)
}
