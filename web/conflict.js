import { button, h } from './dom.js';
import { valueText } from './history.js';
import { ago, t } from './i18n.js';
import { resolve, stateOf } from './outbox.js';
import { nameOf } from './people.js';

/** What others and I made of the same fields, side by side, with a choice for each. */
export function conflictCard(id, people) {
	const { conflict, patch } = stateOf(id);
	const side = (name, which, value) => h('label', h('input', { type: 'radio', name, value: which, checked: which === 'yours' }), h('b', t(`conflict.${which}`)), h('span', valueText(name, value, people)));
	const onsubmit = (event) => {
		event.preventDefault();
		const chosen = new FormData(card);
		const kept = Object.entries(stateOf(id).patch).filter(([name]) => chosen.get(name) === 'yours');
		resolve(id, kept.length > 0 ? Object.fromEntries(kept) : null);
	};
	const card = h('form.card.conflict', { onsubmit },
		h('h2', t('conflict.title')),
		h('p', t('conflict.text', { name: nameOf(people, conflict.updated_by), when: ago(conflict.updated_at) })),
		Object.keys(patch).map((name) => h('fieldset', h('legend', t(`task.${name}`)), side(name, 'now', conflict[name]), side(name, 'yours', patch[name]))),
		h('div.actions', h('button.primary', { type: 'submit' }, t('form.save')), button(t('conflict.theirs'), () => resolve(id, null))));
	return card;
}
