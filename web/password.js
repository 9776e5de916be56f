import * as api from './api.js';
import { h, notice } from './dom.js';
import { field, form } from './form.js';
import { aside, done, gate, spend, toLogIn } from './gate.js';
import { t } from './i18n.js';
import { emailField, passwordField, proofForm } from './proof.js';
import { leave } from './session.js';

/** A password to be chosen, which can be looked at. Whoever has a second factor may choose a shorter one. */
export function newPassword({ min = 15, ...more }) {
	const password = field({ name: 'new', label: t('password.new'), kind: 'password', autocomplete: 'new-password', hint: t('password.hint', { min }), ...more });
	const onchange = ({ target }) => {
		password.input.type = target.checked ? 'text' : 'password';
	};
	password.node.append(h('label.check', h('input', { type: 'checkbox', onchange }), t('password.show')));
	return password;
}

/** Asks for a link to a new password. The answer is the same whether the address has an account or not. */
export const forgotPage = () => gate(t('password.forgot'), form({
	fields: [emailField()],
	submit: t('password.sendLink'),
	onSubmit: async ({ email }, node) => {
		await api.open('/v1/password/forgot', { email });
		done(node, t('session.checkInbox'), t('session.linkSent', { email }));
	},
}), toLogIn());

/** Where a mailed link leads by which a password is chosen: `path` takes it with the token, and the log-in page then tells the `news`. */
export function choosePassword(query, path, { text, password, submit, news, again }) {
	const token = query.get('token');
	const onSubmit = async (values) => {
		await spend(path, { token, ...values });
		leave(`#/login?${news}=1`);
	};
	return gate(t('session.verify'), token && [h('p', text), form({ fields: [password], submit, onSubmit })], aside(t('session.isDead'), ...again));
}

/** Where the link of a reset leads. */
export const resetPage = ({ query }) => choosePassword(query, '/v1/password/reset', {
	text: t('password.resetText'),
	password: newPassword({}),
	submit: t('form.save'),
	news: 'reset',
	again: ['#/forgot', t('password.sendLink')],
});

/** In the settings; `draw` shows it empty again. */
export const changePassword = (factor, draw) => proofForm(factor, {
	method: 'PUT',
	path: '/v1/me/password',
	password: passwordField('current', t('password.current')),
	after: [newPassword({ min: factor.enabled ? 8 : 15 })],
	submit: t('form.save'),
	then: () => {
		notice(t('password.changed'));
		return draw();
	},
});
