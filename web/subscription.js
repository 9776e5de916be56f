import * as api from './api.js';
import { field } from './form.js';
import { t } from './i18n.js';

/** How the person follows a project or a task, which its path names. */
export async function subscription(path) {
	const place = `${path}/subscription`;
	const { mode: value } = await api.get(place);
	const onchange = async () => {
		const mode = choice.read();
		try {
			await (mode === 'default' ? api.request('DELETE', place) : api.request('PUT', place, { body: { mode } }));
			choice.show('');
		} catch (error) {
			choice.show(error.message);
		}
	};
	const options = ['default', 'watch', 'mute'].map((it) => [it, t(`subscription.${it}`)]);
	const choice = field({ name: 'subscription', label: t('subscription.title'), kind: 'select', options, value, onchange });
	return choice.node;
}
