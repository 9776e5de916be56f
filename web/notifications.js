import {all, get, page, request} from './api.js'
import {button, h, paged, row, t} from './dom.js'
import {field} from './form.js'
import {headline} from './history.js'
import {nameOf, peopleOf} from './people.js'
import {projectHref, taskHref} from './tasks.js'

const PATH = '/v1/notifications'

export const unread = async () => (await get(`${PATH}/unread`)).unread

export async function notificationsPage() {
	const projects = new Map((await all('/v1/projects')).map(it => [it.id, it.name]))
	const people = new Map()
	const list = h('ol.rows')
	const load = async cursor => {
		const found = await page(PATH, {limit: 20, cursor})
		for (const {project} of found.items) if (!people.has(project)) people.set(project, await peopleOf(project))
		return found
	}
	const mark = async (place, buttons, body) => {
		await request('POST', `${PATH}/${place}`, {body})
		buttons.forEach(it => it.remove())
		dispatchEvent(new Event('count'))
	}
	const draw = ({id, kind, project, task, title, fields, actors, user, reason, at, read}) => {
		const by = (user ? [user] : actors).map(it => nameOf(people.get(project), it)).join(', ') || t('notifications.guest')
		const done = () => mark(`${id}/read`, [unread])
		const unread = !read && button(t('notifications.read'), () => done().then(() => link.focus()), {class: 'quiet unread', id})
		const link = h('a', {
			href: task && kind !== 'deleted' ? taskHref({project, id: task}) : projectHref(project, task ? 'activity' : 'people'),
			onclick: () => read || done().catch(() => {})
		}, title ?? projects.get(project))
		return row([headline(by, kind, at, link), kind === 'updated' && h('p', fields.map(it => t(`task.${it}`)).join(', '))],
			`${projects.get(project)} · ${t(`notifications.${reason}`)}`, unread)
	}
	// What came meanwhile stays unread.
	const markAll = button(t('notifications.all'), () => {
		const buttons = list.querySelectorAll('.unread')
		return buttons[0] && mark('read', buttons, {through: buttons[0].id})
	})
	const title = t('nav.notifications')
	return {title, node: h('div.narrow', h('div.title-row', h('h1', title), markAll), await paged(list, load, draw), !list.firstChild && h('p.hint', t('notifications.none')))}
}

export async function subscription(path) {
	const place = `${path}/subscription`
	const {mode: value} = await get(place)
	const options = ['default', 'watch', 'mute'].map(it => [it, t(`subscription.${it}`)])
	const onchange = () => {
		const mode = choice.read()
		request(...(mode === 'default' ? ['DELETE', place] : ['PUT', place, {body: {mode}}])).then(() => '', it => it.message).then(choice.show)
	}
	const choice = field({name: 'subscription', label: t('subscription.title'), kind: 'select', options, value, onchange})
	return choice.node
}
