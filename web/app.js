import * as account from './account.js'
import {SignedOut} from './api.js'
import {button, focusOn, h, put, t} from './dom.js'
import {clearShortcuts, helpButton, shortcut} from './keys.js'
import {notificationsPage, unread} from './notifications.js'
import {myTasksPage, projectPage} from './project.js'
import {invitationsPage, projectsPage, waiting} from './projects.js'
import {current, logInPage, setMe, whoAmI} from './session.js'
import {settingsPage} from './settings.js'
import {taskPage} from './task.js'

// Without a tab it needs no session.
const ROUTES = [
	['/sign-up', account.signUpPage],
	['/verify', account.verifyPage],
	['/email', account.emailPage],
	['/forgot', account.forgotPage],
	['/reset', account.resetPage],
	['/', myTasksPage, 'mine'],
	['/projects', projectsPage, 'projects'],
	['/projects/(?<project>[^/]+)(?:/(?<view>board|overview|activity|people))?', projectPage, 'projects'],
	['/projects/(?<project>[^/]+)/tasks/(?<task>[^/]+)', taskPage, 'projects'],
	['/notifications', notificationsPage, 'notifications'],
	['/invitations', invitationsPage, 'invitations'],
	['/settings', settingsPage, 'settings']
]

const TABS = {mine: '#/'}
for (const it of ['projects', 'notifications', 'invitations', 'settings']) TABS[it] = `#/${it}`
const COUNTS = {notifications: unread, invitations: waiting}

const main = document.getElementById('main')
const badges = {notifications: h('span.badge'), invitations: h('span.badge')}
let visit = 0
let shown = {}
// Where one logs in again, over one's page as one left it.
let again

async function go() {
	const turn = ++visit
	const [path, search] = (location.hash.slice(1) || '/').split(/\?(.*)/s)
	const query = new URLSearchParams(search)
	// It is as good as a password: it leaves the address and the history.
	if (query.has('token')) history.replaceState(null, '', `#${path}`)
	again = again?.remove()
	clearShortcuts()
	main.ariaBusy = 'true'
	let match
	let page
	const [, draw, tab] = ROUTES.find(([it]) => (match = RegExp(`^${it}$`).exec(path))) ?? []
	try {
		if ((!draw || tab) && !await whoAmI()) page = logInPage(query)
		else if (path === '/login') return location.replace('#/')
		else if (!draw) throw Object.assign(new Error(), {status: 404})
		else {
			for (const name in tab && TABS) shortcut(`g ${name[0]}`, t(`nav.${name}`), () => location.assign(TABS[name]))
			page = await draw({...match.groups, query, left: () => turn !== visit})
		}
	} catch (error) {
		if (error instanceof SignedOut) return
		if (turn === visit) clearShortcuts()
		const title = t(error.status === 404 ? 'failure.gone' : 'failure.title')
		page = {title, node: h('div.empty', h('h1', title), h('p', error.message), button(t('failure.again'), go))}
	}
	if (turn !== visit) return page.leave?.()
	shown.leave?.()
	shown = page
	document.title = `${page.title} · Baton`
	const tabs = Object.entries(TABS).map(([name, href]) => h('a', {href, 'aria-current': name === tab && 'page'}, t(`nav.${name}`), badges[name]))
	const header = document.querySelector('header')
	header.hidden = !current()
	put(header, h('a.brand', {href: '#/'}, h('img', {src: 'favicon.svg', alt: '', width: 28}), 'Baton'), h('nav', {'aria-label': t('nav.label')}, tabs), helpButton())
	put(main, page.node)
	main.ariaBusy = null
	scrollTo(0, 0)
	focusOn(main.querySelector('h1') ?? main)
	dispatchEvent(new Event('count'))
}

async function count() {
	if (!current() || document.hidden) return
	for (const name in COUNTS) await COUNTS[name]().then(number => put(badges[name], number || null), () => {})
}

const isUnsaved = () => shown.dirty?.() || (current() && main.querySelector('.typed'))

addEventListener('hashchange', event => {
	// One that is not trusted asks to be drawn anew.
	if (!event.isTrusted || !isUnsaved() || confirm(t('app.leave'))) go()
	else history.replaceState(null, '', event.oldURL)
})
addEventListener('beforeunload', event => {
	if (isUnsaved() || main.querySelector('.edit')) event.preventDefault()
})
addEventListener('signedout', () => {
	if (!current()) return
	setMe(null)
	const page = logInPage(new URLSearchParams(), t('session.ended'))
	const dialog = h('dialog.again', {'aria-label': page.title, onclose: () => (again ? again.showModal() : dialog.remove())}, page.node)
	document.body.append(again = dialog)
	dialog.showModal()
})
addEventListener('signedin', () => {
	// What the end of the session cut short is loaded anew.
	if (!again || main.ariaBusy) return go()
	again = again.close()
	count()
})
for (const name of ['count', 'visibilitychange']) addEventListener(name, count)
setInterval(count, 20_000)
go()
