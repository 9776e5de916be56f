// What is shown to somebody without a session: one card, and what a mailed link is good for.
import * as api from './api.js';
import { h, put } from './dom.js';
import { field } from './form.js';
import { t } from './i18n.js';

export const gate = (...children) => h('div.gate', h('div.gate-brand', h('img', { src: 'favicon.svg', alt: '', width: 48, height: 48 }), h('strong', 'Baton'), h('p', t('app.tagline'))), h('section.card', children));

export const title = (text) => h('h1', { tabindex: -1 }, text);

export const aside = (text, href, link) => h('p.aside', text && `${text} `, h('a', { href }, link));

export const emailField = (attributes = {}) => field({ name: 'email', label: t('session.email'), kind: 'email', required: true, autocomplete: 'username', ...attributes });

/** Replaces a form by the word that its mail is on its way, or by what came of it. */
export function done(place, heading, text) {
	const top = title(heading);
	put(place, h('div.sent-mark', { 'aria-hidden': 'true' }, '✓'), top, h('p', text), aside('', '#/login', t('session.logIn')));
	top.focus();
}

/** Sends the token of a mailed link; where it is good for nothing any more, the error says so. */
export async function spend(path, body) {
	try {
		return (await api.open('POST', path, body)).body;
	} catch (error) {
		const isAboutAField = error.fields?.some((it) => it.pointer && !it.pointer.includes('token'));
		if ([400, 404, 410, 422].includes(error.status) && !isAboutAField) throw new Error(t('session.dead'));
		throw error;
	}
}
