import * as api from './api.js';
import { button, copyable, focusOn, h, put } from './dom.js';
import { form } from './form.js';
import { t, timeText } from './i18n.js';
import { newPassword } from './password.js';
import { codeField, proofForm } from './proof.js';

const PATH = '/v1/me/second-factor';

/** In the settings: enrolment where there is no second factor, else what can be done about it. `changed` draws the page anew. */
export function secondFactor(factor, changed) {
	const place = h('div.form');
	const showCodes = ({ recovery_codes }) => {
		put(place, h('h2', t('factor.codes')), h('p', t('factor.codesText')), copyable(recovery_codes.join('\n')), button(t('factor.kept'), changed, { class: 'primary' }));
		focusOn(place.firstChild);
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
	const ask = (submit, then, more) => proofForm(factor, { path: PATH, submit, then, ...more });
	if (!factor.enabled) return put(place, h('p.hint', t('factor.text')), ask(t('factor.switchOn'), enrol));
	return put(place,
		h('p', t('factor.since', { since: timeText(factor.since), left: factor.recovery_codes_left })),
		h('h2', t('factor.renew')),
		ask(t('factor.renew'), showCodes, { path: `${PATH}/recovery-codes` }),
		h('h2', t('factor.switchOff')),
		ask(t('factor.switchOff'), changed, { method: 'DELETE', after: [newPassword({ name: 'new_password', hint: t('factor.newPassword') })] }));
}
