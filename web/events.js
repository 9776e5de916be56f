import * as api from './api.js';
import { button, h } from './dom.js';
import { t, timeText } from './i18n.js';
import { current } from './session.js';
import { whence } from './sessions.js';

/** In the settings: what happened to my account, newest first. */
export async function events() {
	const list = h('ul.rows');
	let next = null;
	const load = async () => {
		const answer = await api.page('/v1/me/events', { limit: 20, cursor: next });
		next = answer.next_cursor;
		more.hidden = next === null;
		list.append(...answer.items.map((it) => h('li.row', h('div.grow', t(`event.${it.kind}`), it.name && `: ${it.name}`, h('p.hint', `${timeText(it.at, current().time_zone)} · ${whence(it)}`)))));
	};
	const more = button(t('app.more'), load, { class: 'quiet more' });
	await load();
	return [list.children.length > 0 ? list : h('p.hint', t('event.none')), more];
}
