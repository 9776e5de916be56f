import * as api from './api.js';
import { h, paged, row } from './dom.js';
import { t, timeText } from './i18n.js';
import { whence } from './sessions.js';

/** In the settings: what happened to my account, newest first. */
export async function events(zone) {
	const load = (cursor) => api.page('/v1/me/events', { limit: 20, cursor });
	const shown = await paged(h('ul.rows'), load, (it) => row([t(`event.${it.kind}`), it.name && `: ${it.name}`], `${timeText(it.at, zone)} · ${whence(it)}`));
	return shown[0].hasChildNodes() ? shown : h('p.hint', t('event.none'));
}
