// What is shown to somebody without a session: one card, and what a mailed link is good for.
import * as api from './api.js';
import { focusOn, h, put } from './dom.js';
import { t } from './i18n.js';

export const gate = (title, ...children) => ({
	title,
	node: h('div.gate',
		h('div.gate-brand', h('img', { src: 'favicon.svg', alt: '', width: 48, height: 48 }), h('strong', 'Baton'), h('p', t('app.tagline'))),
		h('section.card', h('h1', title), children)),
});

export const aside = (text, href, link) => h('p.aside', text, ' ', h('a', { href }, link));

export const toLogIn = (text = '') => aside(text, '#/login', t('session.logIn'));

/** Replaces the card of a form by the word that its mail is on its way, or by what came of it. */
export function done(form, title, text) {
	const heading = h('h1', title);
	put(form.closest('.card'), h('div.sent-mark', { 'aria-hidden': 'true' }, '✓'), heading, h('p', text), toLogIn());
	focusOn(heading);
}

/** Sends the token of a mailed link; where it is good for nothing any more, the error says so. */
export const spend = (path, body) => api.open(path, body).catch((error) => {
	throw error.fields[0]?.pointer === '/token' ? new Error(t('session.dead')) : error;
});
