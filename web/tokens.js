import * as api from './api.js';
import { button, copyable, h, put, row } from './dom.js';
import { field } from './form.js';
import { ago, t, timeText } from './i18n.js';
import { nameField, proofForm } from './proof.js';

const PATH = '/v1/me/tokens';
const DAY = 86_400_000;

/** In the settings: tokens for scripts. */
export async function tokens(factor, draw) {
	const [{ items: made }, projects] = await Promise.all([api.get(PATH), api.all('/v1/projects')]);
	const nameOf = (id) => projects.find((it) => it.id === id)?.name ?? id;
	const revoke = (it) => button(t('tokens.revoke'), async () => {
		if (!confirm(t('app.sure'))) return;
		await api.request('DELETE', `${PATH}/${it.id}`);
		await draw();
	}, { 'aria-label': `${t('tokens.revoke')}: ${it.name}` });
	const facts = (it) => [
		t(`tokens.${it.access}`),
		it.projects?.map(nameOf).join(', ') ?? t('tokens.everywhere'),
		t('tokens.until', { when: timeText(it.expires_at) }),
		it.last_used_at ? t('tokens.used', { when: ago(it.last_used_at) }) : t('tokens.unused'),
	].join(' · ');
	const choice = (name, label, options, more) => field({ name, label, kind: 'select', options, value: options[0][0], ...more });
	return [
		made.length > 0 && h('ul.rows', made.map((it) => row(h('strong', it.name), facts(it), revoke(it)))),
		h('h2', t('tokens.make')),
		h('div.form', proofForm(factor, {
			path: PATH,
			fields: [
				nameField({ autocomplete: 'off' }),
				choice('access', t('tokens.access'), ['read', 'write'].map((it) => [it, t(`tokens.${it}`)])),
				choice('projects', t('nav.projects'), [['', t('tokens.everywhere')], ...projects.map((it) => [it.id, it.name])], { as: (it) => it && [it] }),
				choice('expires_at', t('tokens.life'), ['30', '7', '90', '365'].map((days) => [days, t('tokens.days', { days })]), { as: (it) => new Date(Date.now() + it * DAY).toISOString() }),
			],
			submit: t('tokens.make'),
			then: ({ token }, node) => put(node.parentNode, h('p', t('tokens.once')), copyable(token), button(t('factor.kept'), draw, { class: 'primary' })),
		})),
	];
}
