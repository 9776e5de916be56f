import * as api from './api.js';
import { button, copyable, h, put } from './dom.js';
import { field, form } from './form.js';
import { ago, t, timeText } from './i18n.js';
import { proofFields } from './proof.js';
import { current } from './session.js';

const PATH = '/v1/me/tokens';
const DAY = 86_400_000;

/** In the settings: tokens for scripts. */
export async function tokens(factor, draw) {
	const [{ items: made }, projects] = await Promise.all([api.get(PATH), api.all('/v1/projects')]);
	const zone = current().time_zone;
	const nameOf = (id) => projects.find((it) => it.id === id)?.name ?? id;
	const revoke = (it) => async () => {
		if (!confirm(t('tokens.revokeSure', { name: it.name }))) return;
		await api.request('DELETE', `${PATH}/${encodeURIComponent(it.id)}`);
		await draw();
	};
	const facts = (it) => [
		t(`tokens.${it.access}`),
		it.projects?.map(nameOf).join(', ') ?? t('tokens.everywhere'),
		t('tokens.until', { when: timeText(it.expires_at, zone) }),
		it.last_used_at ? t('tokens.used', { when: ago(it.last_used_at) }) : t('tokens.unused'),
	];
	const row = (it) => h('li.row', h('div.grow', h('strong', it.name), h('p.hint', facts(it).join(' · '))), button(t('tokens.revoke'), revoke(it), { 'aria-label': `${t('tokens.revoke')}: ${it.name}` }));
	const place = h('div.form', form({
		class: 'task-form',
		fields: [
			field({ name: 'name', label: t('session.name'), required: true, max: 100, autocomplete: 'off' }),
			field({ name: 'access', label: t('tokens.access'), kind: 'select', options: ['read', 'write'].map((it) => [it, t(`tokens.${it}`)]), value: 'read' }),
			field({ name: 'projects', label: t('nav.projects'), kind: 'select', options: [['', t('tokens.everywhere')], ...projects.map((it) => [it.id, it.name])] }),
			field({ name: 'expires_at', label: t('tokens.life'), kind: 'select', options: ['7', '30', '90', '365'].map((days) => [days, t('tokens.days', { days })]), value: '30' }),
			...proofFields(factor),
		],
		submit: t('tokens.make'),
		onSubmit: async ({ projects: project, expires_at: days, ...more }) => {
			const body = { ...more, projects: project ? [project] : null, expires_at: new Date(Date.now() + days * DAY).toISOString() };
			const { token } = (await api.request('POST', PATH, { body })).body;
			put(place, h('p', t('tokens.once')), copyable(token), button(t('factor.kept'), draw, { class: 'primary' }));
		},
	}));
	return [made.length > 0 && h('ul.rows', made.map(row)), h('h3', t('tokens.make')), place];
}
