import {button, h, notice, put, t} from './dom.js'
import {chosen, columnsOf, FIELDS, filterBar, taskField} from './fields.js'
import {ago, dateText, today} from './i18n.js'
import {shortcut} from './keys.js'
import {edit, remove, resolve, same, stateOf, undo} from './outbox.js'
import {avatar, nameOf} from './people.js'
import {STATUSES, taskHref} from './tasks.js'

const NEAR = 10
const EDITS = {e: 'title', a: 'assignee', d: 'due_on', p: 'priority', l: 'labels'}
const SAYS = {
	title(task, ctx, unsaved) {
		const link = {href: taskHref(task), tabindex: -1, draggable: 'false'}
		return [h('a.task-title', link, task.title), unsaved && h('a.mark.urgent', link, t('table.unsaved'))]
	},
	project: ({project}, {projects}) => projects.get(project),
	status: ({status: it}) => [h(`span.dot.${it}`), t(`status.${it}`)],
	assignee: ({assignee: it}, {people}) => it && [avatar(nameOf(people, it)), nameOf(people, it)],
	priority: ({priority: it}) => it !== 'none' && h(`span.mark.${it}`, t(`priority.${it}`)),
	due_on: ({due_on, status}) => due_on && h(status !== 'done' && due_on < today() ? 'span.mark.urgent' : 'span', dateText(due_on)),
	labels: ({labels}) => labels.map(it => h('span.mark', it)),
	updated_at: ({updated_at}) => ago(updated_at)
}

const active = () => document.activeElement
const idOf = element => element.closest('[data-task]')?.dataset.task
const topOf = element => element.getBoundingClientRect().top

function taskRows(ctx, {root, groups, columns, drawn}) {
	const {list, people, query, writes, leave} = ctx
	const isBoard = groups.length > 1
	const [tag, head, cell] = isBoard ? ['li', 'div', 'div'] : ['tr', 'th', 'td']
	let rows = new Map()
	let current
	let frame

	const rowOf = task => {
		const {refused, conflict, waiting, patch} = stateOf(task.id) ?? {}
		const held = refused ?? conflict ?? waiting
		const old = rows.get(task.id)
		if ((old?.task === task && old.held === held) || old?.querySelector('.edit:focus-within')) return old
		const row = h(tag, {'data-task': task.id, draggable: isBoard && writes && 'true'}, columns.map((name, index) => h(index ? cell : head,
			{'data-name': name, scope: !isBoard && !index && 'row'}, h('span.line', SAYS[name](task, ctx, held)))))
		Object.assign(row, {task, held, refused, patch})
		for (const name in refused && patch) type(row, name)
		return row
	}
	const type = (row, name, opens) => {
		const {task, refused, patch} = row
		const cell = row.querySelector(`[data-name=${name}]`)
		if (!writes || !FIELDS.includes(name) || !cell || cell.children[1]) return false
		const wrong = refused && name in patch
		const before = (wrong ? patch : task)[name]
		const {node, input, read, write, show} = taskField(name, people, task.assignee)
		write(before ?? '')
		if (wrong) show(refused.wrong[name] ?? refused.message)
		const save = always => (always || !same(read(), before)) && edit(task, {[name]: read()})
		const end = saves => {
			if (saves) save(wrong)
			else if (wrong) resolve(task.id)
			place.className = ''
			row.task = null
			draw()
		}
		const place = h('div.edit', {
			onkeydown: ({key, target, isComposing, defaultPrevented}) => /^(Enter|Escape)$/.test(key) && !isComposing && !defaultPrevented && !target.matches('button') && end(key === 'Enter'),
			onchange: ({target}) => target.matches('select') && end(true),
			onfocusout: () => wrong || setTimeout(() => place.isConnected && !place.contains(active()) && end(true))
		}, node)
		cell.append(Object.assign(place, {save}))
		if (!opens) return
		input.focus()
		if (input.matches('select')) input.showPicker()
		else input.select()
	}

	const load = how => list.loading || list[how]().catch(error => {
		notice(error.message)
		setTimeout(() => list.onchange?.(), 5000)
	})
	const keep = row => row.querySelectorAll('.edit').forEach(it => it.save())
	const keepAll = () => rows.forEach(keep)
	const later = () => {frame ||= requestAnimationFrame(() => draw(frame = 0))}
	const draw = () => {
		const focused = active()
		const id = idOf(focused)
		const next = new Map()
		// One layout: read, then write.
		for (const group of groups) {
			const {parent, shown: [one, two] = []} = group
			group.pitch = (two && topOf(two) - topOf(one)) || group.pitch
			group.top = parent.scrollTop - topOf(parent)
		}
		for (const group of groups) {
			const {parent, tasks, top} = group
			const pitch = group.pitch || 44
			const [before, after] = group.ends ??= [0, 1].map(() => h(tag, {'aria-hidden': 'true'}))
			const size = Math.min(180 / groups.length, Math.ceil(screen.height / pitch) + 2 * NEAR)
			group.first = Math.max(0, Math.floor(top / pitch))
			const from = Math.max(0, Math.min(group.first - NEAR, tasks.length - size))
			const shown = group.shown = tasks.slice(from, from + size).map(rowOf)
			before.style.height = `${from * pitch}px`
			after.style.height = `${(tasks.length - from - shown.length) * pitch}px`
			// Moving one loses the focus.
			const kept = [before, ...shown, after]
			for (const it of [...parent.children]) if (!kept.includes(it)) it.remove()
			kept.forEach((it, index) => parent.children[index] !== it && parent.insertBefore(it, parent.children[index]))
			const stop = shown.find(it => it.dataset.task === current) ?? shown[0]
			shown.forEach((row, index) => next.set(row.dataset.task,
				Object.assign(row, {group, index: from + index, tabIndex: row === stop ? 0 : -1, ariaRowIndex: isBoard ? null : from + index + 2})))
			if (shown[1] && !group.pitch) later()
			if (from + size >= tasks.length) load('more')
		}
		for (const [key, row] of rows) if (next.get(key) !== row) keep(row)
		rows = next
		if (id && active() !== focused) (focused.isConnected ? focused : rows.get(id))?.focus({preventScroll: true})
	}
	const pick = () => {
		const found = chosen(ctx)
		for (const group of groups) group.tasks = found.filter(it => !group.status || it.status === group.status)
		if (isBoard || query.size) load('rest')
		draw()
		bar.show(found.length, list)
		drawn(found.length)
	}

	const focus = ({tasks}, index) => rows.get((tasks[index] ?? tasks.at(-1))?.id)?.focus()
	const walk = by => () => {
		const {group, index = group.first - 1} = rows.get(current) ?? {group: groups.find(it => it.tasks[0]) ?? groups[0]}
		focus(group, Math.max(0, index + by))
	}
	const move = (task, status) => task.status !== status && edit(task, {status})
	const onRow = act => () => {
		list.settle()
		return active().matches('[data-task], .task-title') && act(rows.get(current))
	}
	const bar = filterBar(ctx, pick)
	shortcut('/', t('filter.text'), bar.focus)
	shortcut('j,ArrowDown', t('table.next'), walk(1))
	shortcut('k,ArrowUp', t('table.previous'), walk(-1))
	shortcut('Enter', t('table.open'), onRow(({task}) => location.assign(taskHref(task))))
	if (writes) {
		for (const [key, name] of Object.entries(EDITS)) if (columns.includes(name)) shortcut(key, t(`task.${name}`), onRow(row => type(row, name, true)))
		STATUSES.forEach((it, index) => shortcut(`${index + 1}`, t(`status.${it}`), onRow(({task}) => move(task, it))))
		shortcut('Delete', t('task.delete'), onRow(({task, group, index}) => {
			focus(group, group.tasks[index + 1] ? index + 1 : index - 1)
			remove(task)
		}))
		shortcut('z', t('outbox.undo'), undo)
	}

	const listen = how => {
		how('scroll', later, true)
		how('pagehide', keepAll)
	}
	listen(addEventListener)
	leave.push(() => {
		listen(removeEventListener)
		cancelAnimationFrame(frame)
		keepAll()
	})
	root.addEventListener('focusin', ({target}) => {
		const id = idOf(target)
		if (id && id !== current) draw(current = id)
	})
	root.onclick = ({target}) => {
		const cell = target.closest('[data-name]')
		if (cell && !target.closest('a, .edit')) type(cell.parentElement, cell.dataset.name, true)
	}
	list.onchange = pick
	pick()
	return {bar, move, focus, onRow}
}

export function tableView(ctx) {
	const {query, list, title, none = h('p.hint', t('board.none'))} = ctx
	const columns = columnsOf(ctx)
	const heads = columns.map(name => h('th', {scope: 'col'},
		button(t(`task.${name}`), () => bar.ask('sort', {[name]: `-${name}`, [`-${name}`]: ''}[query.get('sort')] ?? name))))
	const parent = h('tbody')
	const root = h('table.card', {'aria-label': title}, h('thead', h('tr', heads)), parent)
	const drawn = count => {
		root.ariaRowCount = list.complete ? count + 1 : -1
		root.hidden = !(none.hidden = count > 0)
		columns.forEach((name, index) => {heads[index].ariaSort = {[name]: 'ascending', [`-${name}`]: 'descending'}[query.get('sort')]})
	}
	const {bar} = taskRows(ctx, {root, groups: [{parent}], columns, drawn})
	return h('div.work', bar.node, root, none)
}

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
	const {bar, move, focus, onRow} = taskRows(ctx, {
		root: board,
		groups,
		columns: ['title', 'priority', 'due_on', 'labels', 'assignee'],
		drawn: () => groups.forEach(({count, tasks}) => put(count, tasks.length))
	})
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
