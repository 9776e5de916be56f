import { all, get } from './api.js';
import { button, copyable, h, put, row, t } from './dom.js';
import { field, removal } from './form.js';
import { nameField, proofForm } from './gate.js';
import { ago, timeText } from './i18n.js';

const PATH = '/v1/me/tokens';
const DAY = 86_400_000;

/** Tokens for scripts. */
export async function tokens(factor, draw) {
	const [{ items: made }, projects] = await Promise.all([get(PATH), all('/v1/projects')]);
	const nameOf = (id) => projects.find((it) => it.id === id)?.name ?? id;
	const facts = (it) => [
		t(`tokens.${it.access}`),
		it.projects?.map(nameOf).join(', ') ?? t('tokens.everywhere'),
		t('tokens.until', { when: timeText(it.expires_at) }),
		it.last_used_at ? t('tokens.used', { when: ago(it.last_used_at) }) : t('tokens.unused'),
	].join(' · ');
	const choice = (name, label, options, as) => field({ name, label, kind: 'select', options, value: options[0][0], as });
	return [
		made.length > 0 && h('ul.rows', made.map((it) => row(h('strong', it.name), facts(it), removal('tokens.revoke', it.name, `${PATH}/${it.id}`, draw)))),
		h('h2', t('tokens.make')),
		h('div.form', proofForm(factor, {
			path: PATH,
			fields: [
				nameField({ autocomplete: 'off' }),
				choice('access', t('tokens.access'), ['read', 'write'].map((it) => [it, t(`tokens.${it}`)])),
				choice('projects', t('nav.projects'), [['', t('tokens.everywhere')], ...projects.map((it) => [it.id, it.name])], (it) => it && [it]),
				choice('expires_at', t('tokens.life'), ['30', '7', '90', '365'].map((days) => [days, t('tokens.days', { days })]), (it) => new Date(Date.now() + it * DAY).toISOString()),
			],
			submit: t('tokens.make'),
			then: ({ token }, node) => put(node.parentNode, h('p', t('tokens.once')), copyable(token), button(t('factor.kept'), draw)),
		})),
	];
}
