import * as api from './api.js';
import { field } from './form.js';
import { t } from './i18n.js';

/** How the person follows a project or a task, which its path names. */
export function subscription(path) {
	const place = `${path}/subscription`;
	const words = [path.includes('/tasks/') ? 'usual' : 'default', 'watch', 'mute'].map((it) => t(`subscription.${it}`));
	const options = ['default', 'watch', 'mute'].map((it, index) => [it, words[index]]);
	const act = async (work) => {
		try {
			choice.write((await work()).mode);
			choice.show('');
			choice.input.disabled = false;
		} catch (error) {
			choice.show(error.message);
		}
	};
	const save = async () => {
		const mode = choice.read();
		await api.request(mode === 'default' ? 'DELETE' : 'PUT', place, { body: mode === 'default' ? undefined : { mode } });
		return { mode };
	};
	const choice = field({ name: 'subscription', label: t('subscription.title'), kind: 'select', options, disabled: true, onchange: () => act(save) });
	act(() => api.get(place));
	return choice.node;
}
