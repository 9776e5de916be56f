import { get, page, request } from './api.js';
import { button, h, paged, row, t } from './dom.js';
import { removal } from './form.js';
import { ago, timeText } from './i18n.js';

const PATH = '/v1/me/sessions';

const whence = ({ device, network_address }) => [device ?? t('sessions.unknown'), network_address].filter(Boolean).join(' · ');

/** Where I am logged in. */
export async function sessions(draw) {
	const { items } = await get(PATH);
	const one = (it) => row([whence(it), it.current && h('span.you', t('sessions.current'))],
		t('sessions.times', { since: timeText(it.created_at), used: ago(it.last_used_at) }),
		!it.current && removal('sessions.end', whence(it), `${PATH}/${it.id}`, draw));
	return [h('ul.rows', items.map(one)), h('div.actions', button(t('sessions.endOthers'), () => request('DELETE', PATH).then(draw)))];
}

/** What happened to my account, newest first. */
export const events = () => paged(h('ul.rows'), (cursor) => page('/v1/me/events', { limit: 20, cursor }),
	(it) => row([t(`event.${it.kind}`), it.name && `: ${it.name}`], `${timeText(it.at)} · ${whence(it)}`));
