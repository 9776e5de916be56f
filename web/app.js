// The router: finds the page an address names, asks for a log-in where it needs one, and puts it on the screen.
import { SignedOut } from './api.js';
import { button, focusOn, h, put } from './dom.js';
import { t } from './i18n.js';
import { clearShortcuts, helpButton, shortcut } from './keys.js';
import * as session from './session.js';

// An address, the module and the function of its page, and the tab it belongs to: without one it needs no session.
const ROUTES = [
	['/sign-up', () => import('./account.js'), 'signUpPage'],
	['/verify', () => import('./account.js'), 'verifyPage'],
	['/forgot', () => import('./password.js'), 'forgotPage'],
	['/reset', () => import('./password.js'), 'resetPage'],
	['/email', () => import('./email.js'), 'emailPage'],
	['/', () => import('./tasks.js'), 'myTasksPage', 'mine'],
	['/projects', () => import('./projects.js'), 'projectsPage', 'projects'],
	['/projects/:project(/board|/overview|/activity|/people)?', () => import('./project.js'), 'projectPage', 'projects'],
	['/projects/:project/tasks/:task', () => import('./task.js'), 'taskPage', 'projects'],
	['/notifications', () => import('./notifications.js'), 'notificationsPage', 'notifications'],
	['/invitations', () => import('./invitations.js'), 'invitationsPage', 'invitations'],
	['/settings', () => import('./settings.js'), 'settingsPage', 'settings'],
].map(([path, load, name, tab]) => ({
	path: RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)').replace('(/', '(?<view>/')}$`),
	load,
	page: async (parameters) => (await load())[name](parameters),
	tab,
}));

// Tabs, their addresses, and the keys that lead there after a `g`.
const TABS = [['mine', '#/', 'm'], ['projects', '#/projects', 'p'], ['notifications', '#/notifications', 'n'], ['invitations', '#/invitations', 'i'], ['settings', '#/settings', 's']];
const COUNTS = {
	notifications: async () => (await import('./notifications.js')).unread(),
	invitations: async () => (await import('./invitations.js')).waiting(),
};

const main = document.getElementById('main');
const header = document.getElementById('header');
const badges = Object.fromEntries(Object.keys(COUNTS).map((name) => [name, h('span.badge', { hidden: true })]));
let visit = 0;
let shown = {};
// Where somebody whose session ended logs in again, over their page as they left it.
let ended = null;

function place() {
	const [path, query = ''] = (location.hash.slice(1) || '/').split(/\?(.*)/s);
	for (const route of ROUTES) {
		const match = route.path.exec(path);
		if (match) return { ...route, parameters: { ...decode(match.groups), query: new URLSearchParams(query) } };
	}
	return { parameters: { query: new URLSearchParams(query) }, isLogIn: path === '/login' };
}

function decode(groups = {}) {
	try {
		return Object.fromEntries(Object.entries(groups).map(([name, value = '']) => [name, decodeURIComponent(value)]));
	} catch {
		return { ...groups };
	}
}

async function go() {
	const turn = ++visit;
	ended?.remove();
	ended = null;
	const { page: load, tab, parameters, isLogIn } = place();
	main.setAttribute('aria-busy', 'true');
	// What a mailed link carries is as good as a password: it stays in the page's memory only, not in the address and the history.
	if (parameters.query.has('token')) history.replaceState(null, '', location.hash.split('?')[0]);
	clearShortcuts();
	let page;
	try {
		if (load && !tab) page = await load(parameters);
		else if ((await session.whoAmI()) === null) page = session.logInPage(parameters, arrive);
		else if (isLogIn) return location.replace('#/');
		else if (!load) throw Object.assign(new Error(t('problem.notFound')), { status: 404 });
		else {
			for (const [name, href, key] of TABS) shortcut(`g ${key}`, t(`nav.${name}`), () => location.assign(href));
			page = await load(parameters);
		}
	} catch (error) {
		if (error instanceof SignedOut) return;
		page = failure(error);
	}
	// A slower answer to an address already left is dropped.
	if (turn !== visit) return page.leave?.();
	shown.leave?.();
	shown = page;
	document.title = page.title === 'Baton' ? 'Baton' : `${page.title} · Baton`;
	drawHeader(tab);
	put(main, page.node);
	main.removeAttribute('aria-busy');
	scrollTo(0, 0);
	focusOn(main.querySelector('h1') ?? main);
}

function failure(error) {
	const gone = error.status === 404;
	const title = t(gone ? 'failure.gone' : 'failure.title');
	const way = gone ? h('a.button', { href: '#/' }, t('nav.mine')) : button(t('failure.again'), go, { class: 'primary' });
	return { title, node: h('div.empty', h('h1', title), h('p', error.message), way) };
}

/** Goes on with a session: where one was, with all that was typed there, or to the address asked for. */
async function arrive() {
	const before = session.last();
	const me = await session.whoAmI();
	if (ended && me.id !== before) return location.reload();
	count();
	// A page whose loading the end of the session cut short is loaded anew.
	if (!ended || main.hasAttribute('aria-busy')) return go();
	ended.close();
	ended = null;
	dispatchEvent(new Event('signedin'));
}

function logInAgain() {
	const { title, node } = session.logInPage({ query: new URLSearchParams() }, arrive, true);
	// Escape does not bring a session back.
	const dialog = h('dialog.again', { 'aria-label': title, onclose: () => (dialog === ended ? dialog.showModal() : dialog.remove()) }, node);
	ended = dialog;
	document.body.append(dialog);
	dialog.showModal();
}

function drawHeader(tab) {
	const signedIn = session.current() !== null;
	document.body.classList.toggle('signed-in', signedIn);
	const link = ([name, href]) => h('a', { href, 'aria-current': name === tab && 'page' }, t(`nav.${name}`), badges[name]);
	put(header,
		h('a.brand', { href: '#/' }, h('img', { src: 'favicon.svg', alt: '', width: 28, height: 28 }), 'Baton'),
		signedIn && [h('nav', { 'aria-label': t('nav.label') }, TABS.map(link)), helpButton()]);
}

/** Says on the tabs how much is new behind them. */
async function count() {
	if (session.current() === null || document.hidden) return;
	for (const [name, ask] of Object.entries(COUNTS)) {
		// The page itself says when the API cannot be reached; a badge is not worth a second word.
		const number = await ask().catch(() => 0);
		badges[name].hidden = number === 0;
		put(badges[name], String(number));
		badges[name].setAttribute('aria-label', t('nav.new', { count: number }));
	}
}

addEventListener('hashchange', (event) => {
	// One that a page sends itself only asks to be drawn anew.
	if (!event.isTrusted || !shown.dirty?.() || confirm(t('app.leave'))) go();
	else history.replaceState(null, '', event.oldURL);
});
for (const name of ['count', 'notifications', 'visibilitychange']) addEventListener(name, count);
setInterval(count, 20_000);
addEventListener('loggedin', arrive);
addEventListener('signedout', () => {
	if (session.current() === null) return;
	session.forget();
	logInAgain();
});
addEventListener('beforeunload', (event) => {
	if (shown.dirty?.()) event.preventDefault();
});
go().then(() => {
	count();
	// The other pages too, while there is time: they open without the network then.
	setTimeout(() => ROUTES.forEach((it) => it.load().catch(() => {})), 1000);
});
