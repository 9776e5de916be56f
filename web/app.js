// The router: finds the page an address names, asks for a log-in where it needs one, and puts it on the screen.
import * as account from './account.js';
import { SignedOut } from './api.js';
import { button, h, put } from './dom.js';
import { emailPage } from './email.js';
import { locale, t } from './i18n.js';
import { invitationsPage, waiting } from './invitations.js';
import { forgotPage, resetPage } from './password.js';
import { projectPage, projectsPage } from './project.js';
import * as session from './session.js';
import { settingsPage } from './settings.js';
import { taskPage } from './task.js';
import { myTasksPage } from './tasks.js';

const ROUTES = [
	{ path: /^\/sign-up$/, page: account.signUpPage, open: true },
	{ path: /^\/verify$/, page: account.verifyPage, open: true },
	{ path: /^\/forgot$/, page: forgotPage, open: true },
	{ path: /^\/reset$/, page: resetPage, open: true },
	{ path: /^\/email$/, page: emailPage, open: true },
	{ path: /^\/login$/, open: true },
	{ path: /^\/$/, page: myTasksPage, tab: 'mine' },
	{ path: /^\/projects$/, page: projectsPage, tab: 'projects' },
	{ path: /^\/projects\/(?<project>[^/]+)$/, page: projectPage, tab: 'projects' },
	{ path: /^\/projects\/(?<project>[^/]+)\/tasks\/(?<task>[^/]+)$/, page: taskPage, tab: 'projects' },
	{ path: /^\/invitations$/, page: invitationsPage, tab: 'invitations' },
	{ path: /^\/settings$/, page: settingsPage, tab: 'settings' },
];
const TABS = [['mine', '#/'], ['projects', '#/projects'], ['invitations', '#/invitations'], ['settings', '#/settings']];

const main = document.getElementById('main');
const header = document.getElementById('header');
const badge = h('span.badge', { hidden: true });
let visit = 0;
let shown = {};

function place() {
	const [path, query = ''] = (location.hash.slice(1) || '/').split(/\?(.*)/s);
	for (const route of ROUTES) {
		const match = route.path.exec(path);
		if (match) return { route, parameters: { ...decode(match.groups), query: new URLSearchParams(query) } };
	}
	return null;
}

function decode(groups = {}) {
	try {
		return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
	} catch {
		return { ...groups };
	}
}

async function go() {
	const turn = ++visit;
	main.setAttribute('aria-busy', 'true');
	let page;
	let tab = null;
	try {
		const found = place();
		if (!found) throw Object.assign(new Error(t('problem.notFound')), { status: 404 });
		const { route, parameters } = found;
		// What a mailed link carries is as good as a password: it stays in the page's memory only, not in the address and the history.
		if (parameters.query.has('token')) history.replaceState(null, '', location.hash.split('?')[0]);
		if (route.open && route.page) {
			page = await route.page(parameters);
		} else if ((await session.whoAmI()) === null) {
			page = session.logInPage(parameters, arrive);
		} else if (!route.page) {
			return location.replace('#/');
		} else {
			tab = route.tab;
			page = await route.page(parameters);
		}
	} catch (error) {
		if (error instanceof SignedOut) return;
		page = failure(error);
	}
	// A slower answer to an address already left is dropped.
	if (turn !== visit) return;
	shown = page;
	document.title = page.title === 'Baton' ? 'Baton' : `${page.title} · Baton`;
	drawHeader(tab);
	put(main, page.node);
	main.removeAttribute('aria-busy');
	scrollTo(0, 0);
	(main.querySelector('[autofocus]') ?? main.querySelector('h1') ?? main).focus({ preventScroll: true });
}

function failure(error) {
	const gone = error.status === 404;
	return {
		title: t(gone ? 'failure.gone' : 'failure.title'),
		node: h('div.empty', h('h1', { tabindex: -1 }, t(gone ? 'failure.gone' : 'failure.title')), h('p', error.message), gone ? h('a.button', { href: '#/' }, t('nav.mine')) : button(t('failure.again'), go, { class: 'primary' })),
	};
}

const arrive = async () => {
	await session.whoAmI();
	countInvitations();
	return place()?.route.page ? go() : location.replace('#/');
};

function drawHeader(tab) {
	const me = session.current();
	const signedIn = me !== null;
	document.body.classList.toggle('signed-in', signedIn);
	put(header,
		h('a.brand', { href: '#/' }, h('img', { src: 'favicon.svg', alt: '', width: 28, height: 28 }), 'Baton'),
		signedIn && h('nav', { 'aria-label': t('nav.label') }, TABS.map(([name, href]) => h('a', { href, 'aria-current': name === tab && 'page' }, t(`nav.${name}`), name === 'invitations' && badge))));
}

async function countInvitations() {
	try {
		const count = session.current() === null ? 0 : await waiting();
		badge.hidden = count === 0;
		put(badge, String(count));
		badge.setAttribute('aria-label', t('nav.waiting', { count }));
	} catch {
		// The page itself says when the API cannot be reached; a badge is not worth a second word.
		badge.hidden = true;
	}
}

document.documentElement.lang = locale;
addEventListener('hashchange', go);
addEventListener('invitations', countInvitations);
addEventListener('signedout', () => {
	if (session.current() === null) return;
	session.forget();
	go();
});
addEventListener('beforeunload', (event) => {
	if (shown.dirty?.()) event.preventDefault();
});
go().then(countInvitations);
