// What tells who somebody is.
import { request } from './api.js';
import { field, form } from './form.js';
import { t } from './i18n.js';

export const nameField = (more) => field({ name: 'name', label: t('session.name'), autocomplete: 'name', ...more });

export const emailField = (more) => field({ name: 'email', label: t('session.email'), kind: 'email', autocomplete: 'username', ...more });

export const passwordField = (name = 'password', label = t('session.password')) => field({ name, label, kind: 'password', autocomplete: 'current-password' });

/** A code of the authenticator app, which shows it in groups, or a recovery code. */
export const codeField = (hint = t('proof.codeHint')) => field({
	name: 'code', label: t('proof.code'), hint, autocomplete: 'one-time-code', spellcheck: 'false', as: (it) => it.replace(/\s/g, ''),
});

/** A change to the account asks for the password once more, and for a code where a second factor is on. `then` gets the answer and the form. */
export const proofForm = (factor, { method = 'POST', path, fields = [], password = passwordField(), after = [], sure, then, ...more }) => form({
	...more,
	fields: [...fields, password, ...(factor.enabled ? [codeField()] : []), ...after],
	onSubmit: async (values, node) => {
		if (sure && !confirm(sure)) return;
		// What is left empty is not asked for.
		const body = Object.fromEntries(Object.entries(values).filter(([, it]) => it !== ''));
		await then((await request(method, path, { body })).body, node);
	},
});
