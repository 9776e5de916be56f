import * as api from './api.js';
import { h, put } from './dom.js';
import { form } from './form.js';
import { done, emailField, gate, spend, title } from './gate.js';
import { t } from './i18n.js';
import { proofFields } from './proof.js';

/** Where the links of a change of address lead, the old mailbox's and the new one's. It takes a click: mail filters follow links. */
export function emailPage({ query }) {
	const place = h('div', title(t('email.change')), h('p', t('email.text')), form({
		fields: [],
		submit: t('email.confirm'),
		onSubmit: async () => {
			const { changed, waiting_for } = await spend('/v1/email/confirm', { token: query.get('token') ?? '' });
			done(place, t('email.change'), t(changed ? 'email.changed' : `email.waiting.${waiting_for}`));
		},
	}));
	return { title: t('email.change'), node: gate(place) };
}

/** In the settings. */
export function changeEmail(factor) {
	const place = h('div', form({
		fields: [emailField({ label: t('email.new'), autocomplete: 'email' }), ...proofFields(factor)],
		submit: t('email.change'),
		onSubmit: async (body) => {
			await api.request('POST', '/v1/me/email', { body });
			put(place, h('p.good', { role: 'status' }, t('email.asked', { email: body.email })));
		},
	}));
	return place;
}
