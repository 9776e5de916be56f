import * as api from './api.js';
import { button, copyable, h, put } from './dom.js';
import { form } from './form.js';
import { t, timeText } from './i18n.js';
import { newPassword } from './password.js';
import { codeField, proofFields } from './proof.js';
import { current } from './session.js';

const PATH = '/v1/me/second-factor';

/** In the settings: enrolment where there is no second factor, else what can be done about it. `changed` draws the page anew. */
export function secondFactor(factor, changed) {
	const place = h('div.form');
	const showCodes = ({ recovery_codes }) => {
		const heading = h('h3', { tabindex: -1 }, t('factor.codes'));
		put(place, heading, h('p', t('factor.codesText')), copyable(recovery_codes.join('\n')), button(t('factor.kept'), changed, { class: 'primary' }));
		heading.focus();
	};
	const enrol = ({ otpauth_uri, secret }) => {
		const code = codeField(null);
		put(place, h('p', t('factor.add'), ' ', h('a', { href: otpauth_uri }, t('factor.open'))), copyable(secret.match(/.{1,4}/g).join(' ')), form({
			fields: [code],
			submit: t('email.confirm'),
			onSubmit: async (body) => showCodes((await api.request('POST', `${PATH}/confirm`, { body })).body),
		}));
		code.focus();
	};
	if (!factor.enabled) {
		return put(place, h('p.hint', t('factor.text')), form({
			fields: proofFields(factor),
			submit: t('factor.switchOn'),
			onSubmit: async (body) => enrol((await api.request('POST', PATH, { body })).body),
		}));
	}
	return put(place,
		h('p', t('factor.since', { since: timeText(factor.since, current().time_zone), left: factor.recovery_codes_left })),
		h('h3', t('factor.renew')), form({
			fields: proofFields(factor),
			submit: t('factor.renew'),
			onSubmit: async (body) => showCodes((await api.request('POST', `${PATH}/recovery-codes`, { body })).body),
		}),
		h('h3', t('factor.switchOff')), form({
			fields: [...proofFields(factor), newPassword({ name: 'new_password', hint: t('factor.newPassword'), required: false })],
			submit: t('factor.switchOff'),
			onSubmit: async ({ new_password, ...body }) => {
				await api.request('DELETE', PATH, { body: { ...body, ...(new_password && { new_password }) } });
				changed();
			},
		}));
}
