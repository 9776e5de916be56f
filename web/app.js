// Shows the page an address names, or a log-in where it needs one.
import * as account from './account.js'
import {SignedOut} from './api.js'
import {button, focusOn, h, put, t} from './dom.js'
import {clearShortcuts, helpButton, shortcut} from './keys.js'
import {myTasksPage} from './mine.js'
import {notificationsPage, unread} from './notifications.js'
import {projectPage} from './project.js'
import {invitationsPage, projectsPage, waiting} from './projects.js'
import * as session from './session.js'
import {settingsPage} from './settings.js'
import {taskPage} from './task.js'

// An address, its page, and its tab: without one it needs no session.
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
].map(([path, page, tab]) => ({path: RegExp(`^${path}$`), page, tab}))

const TABS = {mine: '#/', projects: '#/projects', notifications: '#/notifications', invitations: '#/invitations', settings: '#/settings'}
const COUNTS = {notifications: unread, invitations: waiting}

const main = document.getElementById('main')
const badges = {notifications: h('span.badge', {hidden: true}), invitations: h('span.badge', {hidden: true})}
let visit = 0
let shown = {}
// Where somebody whose session ended logs in again, over their page as they left it.
let again = null

async function go() {
	const turn = ++visit
	const [path, search] = (location.hash.slice(1) || '/').split(/\?(.*)/s)
	const query = new URLSearchParams(search)
	// What a mailed link carries is as good as a password: it leaves the address and the history.
	if (query.has('token')) history.replaceState(null, '', `#${path}`)
	again?.remove()
	again = null
	clearShortcuts()
	main.ariaBusy = 'true'
	const route = ROUTES.find(it => it.path.test(path))
	let page
	try {
		if ((!route || route.tab) && !(await session.whoAmI())) page = session.logInPage(query)
		else if (path === '/login') return location.replace('#/')
		else if (!route) throw Object.assign(new Error(), {status: 404})
		else {
			if (route.tab) Object.entries(TABS).forEach(([name, href]) => shortcut(`g ${name[0]}`, t(`nav.${name}`), () => location.assign(href)))
			page = await route.page({...route.path.exec(path).groups, query, left: () => turn !== visit})
		}
	} catch (error) {
		if (error instanceof SignedOut) return
		if (turn === visit) clearShortcuts()
		const title = t(error.status === 404 ? 'failure.gone' : 'failure.title')
		page = {title, node: h('div.empty', h('h1', title), h('p', error.message), button(t('failure.again'), go))}
	}
	// A slower answer to an address already left is dropped.
	if (turn !== visit) return page.leave?.()
	shown.leave?.()
	shown = page
	document.title = `${page.title} · Baton`
	drawHeader(route?.tab)
	put(main, page.node)
	main.ariaBusy = null
	scrollTo(0, 0)
	focusOn(main.querySelector('h1') ?? main)
	dispatchEvent(new Event('count'))
}

function drawHeader(tab) {
	const tabs = Object.entries(TABS).map(([name, href]) => h('a', {href, 'aria-current': name === tab && 'page'}, t(`nav.${name}`), badges[name]))
	const header = document.getElementById('header')
	header.hidden = !session.current()
	put(header, h('a.brand', {href: '#/'}, h('img', {src: 'favicon.svg', alt: '', width: 28}), 'Baton'), h('nav', {'aria-label': t('nav.label')}, tabs), helpButton())
}

async function count() {
	if (!session.current() || document.hidden) return
	for (const [name, ask] of Object.entries(COUNTS)) {
		// The page itself says when the API cannot be reached; a badge is not worth a second word.
		const number = await ask().catch(() => badges[name].textContent)
		badges[name].hidden = !Number(number)
		put(badges[name], number)
	}
}

const isUnsaved = () => shown.dirty?.() || (session.current() && main.querySelector('.typed'))

addEventListener('hashchange', event => {
	// One that a page sends itself asks to be drawn anew.
	if (!event.isTrusted || !isUnsaved() || confirm(t('app.leave'))) go()
	else history.replaceState(null, '', event.oldURL)
})
addEventListener('beforeunload', event => {
	if (isUnsaved() || main.querySelector('.edit')) event.preventDefault()
})
addEventListener('signedout', () => {
	if (!session.current()) return
	session.setMe(null)
	const page = session.logInPage(new URLSearchParams(), t('session.ended'))
	const dialog = h('dialog.again', {'aria-label': page.title, onclose: () => (again ? again.showModal() : dialog.remove())}, page.node)
	document.body.append(again = dialog)
	dialog.showModal()
})
addEventListener('signedin', () => {
	// A page whose loading the end of the session cut short is loaded anew.
	if (!again || main.ariaBusy) return go()
	again.close()
	again = null
	count()
})
for (const name of ['count', 'visibilitychange']) addEventListener(name, count)
setInterval(count, 20_000)
go()
