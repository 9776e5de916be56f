import * as api from './api.js';
import { button, h } from './dom.js';
import { ago, t, timeText } from './i18n.js';
import * as session from './session.js';

const PATH = '/v1/me/sessions';

/** Where a request came from, as far as it said. */
export const whence = ({ device, network_address }) => [device ?? t('sessions.unknown'), network_address].filter(Boolean).join(' · ');

/** In the settings: where I am logged in. */
export async function sessions(draw) {
	const { items } = await api.get(PATH);
	const zone = session.current().time_zone;
	const end = (path) => async () => {
		await api.request('DELETE', path);
		return draw();
	};
	const row = (it) => h('li.row',
		h('div.grow', { title: it.user_agent }, whence(it), it.current && h('span.you', t('sessions.current')), h('p.hint', t('sessions.times', { since: timeText(it.created_at, zone), used: ago(it.last_used_at) }))),
		!it.current && button(t('sessions.end'), end(`${PATH}/${encodeURIComponent(it.id)}`), { 'aria-label': `${t('sessions.end')}: ${whence(it)}` }));
	return [h('ul.rows', items.map(row)), items.length > 1 && h('div.actions', button(t('sessions.endOthers'), end(PATH)))];
}
