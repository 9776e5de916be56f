import * as api from './api.js';
import { button, h } from './dom.js';
import { field, form } from './form.js';
import { aside, done, emailField, gate, title } from './gate.js';
import { locale, t } from './i18n.js';
import { choosePassword, newPassword } from './password.js';
import { proofFields } from './proof.js';
import { leave } from './session.js';

export function signUpPage() {
	const place = h('div', title(t('session.signUpTitle')),
		form({
			fields: [field({ name: 'name', label: t('session.name'), required: true, autocomplete: 'name' }), emailField()],
			submit: t('session.signUp'),
			onSubmit: async ({ name, email }) => {
				await api.open('POST', '/v1/accounts', { name, email, locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
				done(place, t('session.checkInbox'), t('session.linkSent', { email }));
			},
		}),
		aside(t('session.have'), '#/login', t('session.logIn')));
	return { title: t('session.signUp'), node: gate(place) };
}

/** Where the link of a sign-up leads. */
export const verifyPage = ({ query }) => choosePassword({
	token: query.get('token'),
	text: t('session.verifyText'),
	password: newPassword({ name: 'password', label: t('session.password') }),
	submit: t('session.signUpTitle'),
	path: '/v1/accounts/verify',
	news: 'verified',
	again: ['#/sign-up', t('session.signUp')],
});

/** In the settings: one's data as a file, and the end of the account. */
export function data(factor) {
	const download = async () => {
		const text = JSON.stringify(await api.get('/v1/me/export'), null, 2);
		const href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
		h('a', { href, download: 'baton.json' }).click();
		setTimeout(() => URL.revokeObjectURL(href), 60_000);
	};
	return [
		h('div.actions', button(t('account.export'), download)),
		h('h3', t('account.delete')),
		h('p.hint', t('account.deleteText')),
		form({
			fields: proofFields(factor),
			submit: t('account.delete'),
			onSubmit: async (body) => {
				if (!confirm(t('account.deleteSure'))) return;
				await api.request('DELETE', '/v1/me', { body });
				leave();
			},
		}),
	];
}
