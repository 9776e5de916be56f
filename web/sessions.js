import * as api from './api.js';
import { button, h, paged, row } from './dom.js';
import { ago, t, timeText } from './i18n.js';

const PATH = '/v1/me/sessions';

// Where a request came from, as far as it said.
const whence = ({ device, network_address }) => [device ?? t('sessions.unknown'), network_address].filter(Boolean).join(' · ');

/** In the settings: where I am logged in. */
export async function sessions(draw) {
	const { items } = await api.get(PATH);
	const end = (label, path, more) => button(label, () => api.request('DELETE', path).then(draw), more);
	const one = (it) => row([whence(it), it.current && h('span.you', t('sessions.current'))],
		t('sessions.times', { since: timeText(it.created_at), used: ago(it.last_used_at) }),
		!it.current && end(t('sessions.end'), `${PATH}/${it.id}`, { 'aria-label': `${t('sessions.end')}: ${whence(it)}` }));
	return [h('ul.rows', items.map(one)), items.length > 1 && h('div.actions', end(t('sessions.endOthers'), PATH))];
}

/** In the settings: what happened to my account, newest first. */
export async function events() {
	const load = (cursor) => api.page('/v1/me/events', { limit: 20, cursor });
	const shown = await paged(h('ul.rows'), load, (it) => row([t(`event.${it.kind}`), it.name && `: ${it.name}`], `${timeText(it.at)} · ${whence(it)}`));
	return shown[0].hasChildNodes() ? shown : h('p.hint', t('event.none'));
}
