import * as api from './api.js';
import { button, h, put } from './dom.js';
import { form } from './form.js';
import { done, gate, spend, toLogIn } from './gate.js';
import { locale, t } from './i18n.js';
import { choosePassword, newPassword } from './password.js';
import { emailField, nameField, proofForm } from './proof.js';
import { leave } from './session.js';

export const signUpPage = () => gate(t('session.signUpTitle'), form({
	fields: [nameField(), emailField()],
	submit: t('session.signUp'),
	onSubmit: async ({ name, email }, node) => {
		await api.open('/v1/accounts', { name, email, locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
		done(node, t('session.checkInbox'), t('session.linkSent', { email }));
	},
}), toLogIn(t('session.have')));

/** Where the link of a sign-up leads. */
export const verifyPage = ({ query }) => choosePassword(query, '/v1/accounts/verify', {
	text: t('session.verifyText'),
	password: newPassword({ name: 'password', label: t('session.password') }),
	submit: t('session.signUpTitle'),
	news: 'verified',
	again: ['#/sign-up', t('session.signUp')],
});

/** Where the links of a change of address lead, the old mailbox's and the new one's. It takes a click: mail filters follow links. */
export const emailPage = ({ query }) => gate(t('email.change'), h('p', t('email.text')), form({
	fields: [],
	submit: t('email.confirm'),
	onSubmit: async (_, node) => {
		const { changed, waiting_for } = await spend('/v1/email/confirm', { token: query.get('token') ?? '' });
		done(node, t('email.change'), t(changed ? 'email.changed' : `email.waiting.${waiting_for}`));
	},
}));

/** In the settings: another address. */
export const changeEmail = (factor) => h('div', proofForm(factor, {
	path: '/v1/me/email',
	fields: [emailField({ label: t('email.new'), autocomplete: 'email' })],
	submit: t('email.change'),
	then: (_, node) => put(node.parentNode, h('p.good', { role: 'status' }, t('email.asked'))),
}));

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
		h('h2', t('account.delete')),
		h('p.hint', t('account.deleteText')),
		proofForm(factor, { method: 'DELETE', path: '/v1/me', submit: t('account.delete'), sure: t('app.sure'), then: () => leave() }),
	];
}
