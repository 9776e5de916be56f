import {page} from './api.js'
import {empty, failure, fold, h, put, t} from './dom.js'
import {dateText, today} from './i18n.js'
import {follow} from './live.js'
import {nameOf} from './people.js'
import {projectPath, STATUSES, taskHref} from './tasks.js'

const DAY = 86_400_000
const later = (it, days = 1) => ({...it, day: new Date(Date.parse(it.day) + days * DAY).toISOString().slice(0, 10)})

export function tally(zone) {
	const {format} = new Intl.DateTimeFormat('sv', {timeZone: zone})
	const tasks = new Map()
	const days = [{waiting: 0, in_progress: 0, done: 0}]
	const count = ({task: id, version, kind, at, fields}) => {
		const task = tasks.get(id) ?? {id, created: at}
		if (version <= task.version) return false
		const {status} = task
		for (const {name, to} of fields) task[name] = to
		tasks.set(id, Object.assign(task, {version}, kind === 'deleted' && {status: null}))
		if (task.status === status) return true
		const day = format(new Date(at))
		days[0].day ??= later({day}, -1).day
		while (days.at(-1).day < day) days.push(later(days.at(-1)))
		const now = days.at(-1)
		if (status) now[status] -= 1
		if (task.status) now[task.status] += 1
		if (task.status === 'in_progress') task.started ??= at
		if (task.status === 'done') Object.assign(task, {day, took: (new Date(at) - new Date(task.started ?? task.created)) / DAY})
		return true
	}
	return {days, tasks, take: changes => changes.filter(count).length}
}

export function openBy(tasks) {
	const people = {}
	for (const {status, assignee: user = null} of tasks) if (status && status !== 'done') {
		const one = people[user] ??= {user, open: 0, waiting: 0, in_progress: 0}
		one.open += 1
		one[status] += 1
	}
	return Object.values(people).sort((a, b) => b.open - a.open)
}

const canvas = (width, height, ...shapes) => h('svg:svg', {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none'}, shapes)
const path = (kind, d) => h(`svg:path.${kind}`, {d})

function plot(days, values, shapes) {
	const most = Math.max(1, ...values)
	const step = Math.ceil((most / 4).toPrecision(1))
	const numbers = Array.from({length: Math.ceil(most / step) + 1}, (_, it) => it * step).reverse()
	const last = days.length - 1
	const y = number => 100 - (100 * number) / numbers[0]
	return h('div.plot', h('ol', numbers.map(it => h('li', it))),
		canvas(100, 100, numbers.map(it => path('line', `M0 ${y(it)}H100`)), shapes(index => (100 * index) / last, y)),
		h('ol', [0, last / 2, last].map(it => days[it] && h('li', dateText(days[it].day)))))
}

const part = (name, ...children) => h('section.card', h('h2', t(`overview.${name}`)), children)
const legend = counts => h('ul.actions.hint', STATUSES.filter(it => it in counts).map(it => h('li.actions', h(`span.dot.${it}`), `${t(`status.${it}`)} ${counts[it]}`)))

function flow(days) {
	// Each lies over the one before.
	const heights = days.map(({waiting, in_progress, done}) => [waiting + in_progress + done, in_progress + done, done])
	const areas = (x, y) => STATUSES.map((it, area) => path(it, `M0 100L${heights.map((height, index) => `${x(index)} ${y(height[area])}`)} 100 100`))
	const line = it => h('tr', h('th', {scope: 'row'}, dateText(it.day)), STATUSES.map(status => h('td', it[status])))
	return part('flow', legend(days.at(-1)), plot(days, heights.flat(), areas), fold(t('board.table'), () => h('table',
		h('tr', h('td'), STATUSES.map(it => h('th', {scope: 'col'}, t(`status.${it}`)))), days.slice(-100).reverse().map(line))))
}

function cycle(tasks, days, project) {
	const times = tasks.map(it => it.took).sort((a, b) => a - b)
	const median = times[(times.length - 1) >> 1]
	const dots = (x, y) => [path('median', `M0 ${y(median)}H100`), tasks.map(({id, title, day, took}) => h('svg:a', {href: taskHref({id, project})},
		h('svg:title', `${title}: ${took.toFixed(2)}`), path('dot', `M${x(days.findIndex(it => it.day === day))} ${y(took)}h0`)))]
	return part('cycle', h('p.hint', t('overview.median', {days: median.toFixed(2), count: tasks.length})), plot(days, times, dots))
}

const open = (people, names) => people[0] && part('open', people.map(it => [it.user ? nameOf(names, it.user) : t('task.nobody'), legend(it),
	canvas(people[0].open, 1, path('waiting', `M0 0H${it.open}V1H0`), path('in_progress', `M0 0H${it.in_progress}V1H0`))
]))

export function overviewView({project: {id}, people, zone, leave}) {
	const place = h('div.form')
	const log = tally(zone)
	let left = false
	leave.push(() => {left = true})
	const draw = () => {
		const days = [...log.days]
		if (!days[0].day) return put(place, empty(t('board.none')))
		while (days.at(-1).day < today()) days.push(later(days.at(-1)))
		const tasks = [...log.tasks.values()]
		const done = tasks.filter(it => it.status === 'done').sort((a, b) => b.day.localeCompare(a.day)).slice(0, 100)
		put(place, flow(days), open(openBy(tasks), people), done[0] && cycle(done, days.slice(days.findIndex(it => it.day === done.at(-1).day) - 1), id))
	}
	const read = async after => {
		put(place, h('p.hint', t('filter.count', {count: log.tasks.size})))
		const {items, next_cursor} = await page(`${projectPath(id)}/changes`, {after, limit: 100})
		if (left) return
		if (log.take(items)) return read(next_cursor)
		draw()
		// Not while somebody is reading.
		leave.push(follow(id, changes => log.take(changes) && !place.querySelector('[open], :focus') && draw(), next_cursor))
	}
	read('start').catch(error => put(place, failure(error.message)))
	return place
}
