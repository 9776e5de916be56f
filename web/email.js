import { h, put } from './dom.js';
import { form } from './form.js';
import { done, gate, spend } from './gate.js';
import { t } from './i18n.js';
import { emailField, proofForm } from './proof.js';

/** Where the links of a change of address lead, the old mailbox's and the new one's. It takes a click: mail filters follow links. */
export const emailPage = ({ query }) => gate(t('email.change'), h('p', t('email.text')), form({
	fields: [],
	submit: t('email.confirm'),
	onSubmit: async (_, node) => {
		const { changed, waiting_for } = await spend('/v1/email/confirm', { token: query.get('token') ?? '' });
		done(node, t('email.change'), t(changed ? 'email.changed' : `email.waiting.${waiting_for}`));
	},
}));

/** In the settings. */
export const changeEmail = (factor) => h('div', proofForm(factor, {
	path: '/v1/me/email',
	fields: [emailField({ label: t('email.new'), autocomplete: 'email' })],
	submit: t('email.change'),
	then: (_, node) => put(node.parentNode, h('p.good', { role: 'status' }, t('email.asked'))),
}));
