import { field } from './form.js';
import { t } from './i18n.js';

/** A code of the authenticator app, which shows it in groups, or a recovery code. */
export function codeField(hint = t('proof.codeHint')) {
	const code = field({ name: 'code', label: t('proof.code'), hint, required: true, autocomplete: 'one-time-code', spellcheck: 'false' });
	return { ...code, read: () => code.read().replace(/\s/g, '') };
}

/** What a change to an account asks for once more: the password, and a code where a second factor is on. */
export function proofFields(factor, { name = 'password', label = t('session.password') } = {}) {
	const password = field({ name, label, kind: 'password', required: true, autocomplete: 'current-password' });
	return factor.enabled ? [password, codeField()] : [password];
}
