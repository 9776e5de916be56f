import * as api from './api.js';
import { button, h } from './dom.js';
import { form } from './form.js';
import { done, gate, toLogIn } from './gate.js';
import { locale, t } from './i18n.js';
import { choosePassword, newPassword } from './password.js';
import { emailField, nameField, proofForm } from './proof.js';
import { leave } from './session.js';

export const signUpPage = () => gate(t('session.signUpTitle'), form({
	fields: [nameField(), emailField()],
	submit: t('session.signUp'),
	onSubmit: async ({ name, email }, node) => {
		await api.open('POST', '/v1/accounts', { name, email, locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
		done(node, t('session.checkInbox'), t('session.linkSent', { email }));
	},
}), toLogIn(t('session.have')));

/** Where the link of a sign-up leads. */
export const verifyPage = ({ query }) => choosePassword(query, {
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
		proofForm(factor, { method: 'DELETE', path: '/v1/me', submit: t('account.delete'), sure: t('account.deleteSure'), then: () => leave() }),
	];
}
