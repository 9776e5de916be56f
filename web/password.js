import * as api from './api.js';
import { h, notice } from './dom.js';
import { field, form } from './form.js';
import { aside, done, emailField, gate, spend, title } from './gate.js';
import { t } from './i18n.js';
import { proofFields } from './proof.js';
import { leave } from './session.js';

/** A password to be chosen, which can be looked at. Whoever has a second factor may choose a shorter one. */
export function newPassword({ name = 'new', label = t('password.new'), min = 15, hint = t('password.hint', { min }), ...attributes } = {}) {
	const password = field({ name, label, kind: 'password', required: true, min, max: 128, autocomplete: 'new-password', hint, ...attributes });
	const input = password.node.querySelector('input');
	const shown = h('input', {
		type: 'checkbox',
		onchange: () => {
			input.type = shown.checked ? 'text' : 'password';
		},
	});
	password.node.append(h('label.check', shown, t('password.show')));
	return password;
}

/** Asks for a link to a new password. The answer is the same whether the address has an account or not. */
export function forgotPage() {
	const place = h('div', title(t('password.forgot')), form({
		fields: [emailField()],
		submit: t('password.sendLink'),
		onSubmit: async ({ email }) => {
			await api.open('POST', '/v1/password/forgot', { email });
			done(place, t('session.checkInbox'), t('password.forgotSent', { email }));
		},
	}), aside('', '#/login', t('session.logIn')));
	return { title: t('password.forgot'), node: gate(place) };
}

/** Where a mailed link leads by which a password is chosen: `path` takes it with the token, and the log-in page then tells the `news`. */
export function choosePassword({ token, text, password, submit, path, news, again }) {
	const heading = t('session.verify');
	const onSubmit = async (values) => {
		await spend(path, { token, ...values });
		leave(`#/login?${news}=1`);
	};
	const ask = token && [h('p', text), form({ fields: [password], submit, onSubmit })];
	return { title: heading, node: gate(title(heading), ask, aside(t('session.isDead'), ...again)) };
}

/** Where the link of a reset leads. */
export const resetPage = ({ query }) => choosePassword({
	token: query.get('token'),
	text: t('password.resetText'),
	password: newPassword({ min: 8, hint: t('password.hint', { min: 15 }) }),
	submit: t('form.save'),
	path: '/v1/password/reset',
	news: 'reset',
	again: ['#/forgot', t('password.sendLink')],
});

/** In the settings; `draw` shows it empty again. */
export function changePassword(factor, draw) {
	return form({
		fields: [...proofFields(factor, { name: 'current', label: t('password.current') }), newPassword({ min: factor.enabled ? 8 : 15 })],
		submit: t('form.save'),
		onSubmit: async (values) => {
			await api.request('PUT', '/v1/me/password', { body: values });
			notice(t('password.changed'));
			await draw();
		},
	});
}
