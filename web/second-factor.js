import { request } from './api.js';
import { button, copyable, focusOn, h, put, t } from './dom.js';
import { form } from './form.js';
import { codeField, newPassword, proofForm } from './gate.js';
import { timeText } from './i18n.js';

const PATH = '/v1/me/second-factor';

/** Enrolment where there is no second factor, else what can be done about it. `changed` draws the page anew. */
export function secondFactor(factor, changed) {
	const place = h('div.form');
	const showCodes = ({ recovery_codes }) => {
		put(place, h('h2', t('factor.codes')), h('p', t('factor.codesText')), copyable(recovery_codes.join('\n')), button(t('factor.kept'), changed));
		focusOn(place.firstChild);
	};
	const enrol = ({ otpauth_uri, secret }) => {
		const code = codeField();
		put(place, h('p', t('factor.add'), ' ', h('a', { href: otpauth_uri }, t('factor.open'))), copyable(secret.match(/.{1,4}/g).join(' ')), form({
			fields: [code],
			submit: t('email.confirm'),
			onSubmit: async (body) => showCodes((await request('POST', `${PATH}/confirm`, { body })).body),
		}));
		code.focus();
	};
	const ask = (title, then, more) => [h('h2', title), proofForm(factor, { path: PATH, submit: title, then, ...more })];
	return put(place, factor.enabled
		? [
			h('p', t('factor.since', { since: timeText(factor.since), left: factor.recovery_codes_left })),
			ask(t('factor.renew'), showCodes, { path: `${PATH}/recovery-codes` }),
			ask(t('factor.switchOff'), changed, { method: 'DELETE', after: [newPassword({ name: 'new_password', hint: t('factor.newPassword') })] }),
		]
		: [h('p.hint', t('factor.text')), ask(t('factor.switchOn'), enrol)]);
}
