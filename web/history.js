import {get, page} from './api.js'
import {copyable, fold, h, paged, row} from './dom.js'
import {ago, dateText, t, timeText} from './i18n.js'
import {avatar, nameOf} from './people.js'
import {taskHref, taskPath} from './tasks.js'

export const valueText = (name, value, people) => (!value?.length ? t('task.empty')
	: name === 'assignee' ? nameOf(people, value)
	: name === 'due_on' ? dateText(value)
	: /status|priority/.test(name) ? t(`${name}.${value}`)
	: value.join?.(', ') ?? value)

export const headline = (by, kind, at, link) => [avatar(by), h('b', by), ` ${t(`history.${kind}`)}`, link && [': ', link], ' ', h('time', {datetime: at, title: timeText(at)}, ago(at))]

function changeEntry({id, task, version, kind, title, actor, at, fields}, {people, project, withTask}) {
	const place = {project: project.id, id: task}
	const path = `${taskPath(place)}/changes/${version}`
	const told = async () => {
		const {items} = await get(`${path}/deliveries`)
		return items[0] ? h('ul', items.map(it =>
			h('li', h('b', nameOf(people, it.user)), ` ${t(`history.${it.state}`)} · ${timeText(it.at)}`, it.reason && ` · ${it.reason}`))) : t('history.nobody')
	}
	const changed = h('ul', fields.map(({name, from, to}) => h('li', h('b', t(`task.${name}`)), ' ', name === 'description' ? fold(t('history.text'), async () => copyable((await get(path)).description || t('task.empty')))
		: [from?.length > 0 && [h('del', valueText(name, from, people)), ' → '], valueText(name, to, people)])))
	const link = withTask && h('a', {href: taskHref(place)}, title)
	return Object.assign(row([headline(nameOf(people, actor), kind, at, link), changed, fold(t('history.told'), told)]), {id})
}

export async function changeLog(path, options) {
	const list = h('ol.rows')
	const draw = it => changeEntry(it, options)
	const node = await paged(list, cursor => page(path, {limit: 20, cursor}), draw)
	return {node, add: changes => changes.forEach(it => list.children.namedItem(it.id) || list.prepend(draw(it)))}
}
