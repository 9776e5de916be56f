import {button, h} from './dom.js'
import {valueText} from './history.js'
import {ago, t} from './i18n.js'
import {resolve, stateOf} from './outbox.js'
import {nameOf} from './people.js'

export function conflictCard(id, people) {
	const {conflict, patch: {...patch}} = stateOf(id)
	const choice = (name, side, task) => h('label.card',
		h('input', {type: 'radio', name, value: side, checked: side === 'yours'}), h('b', t(`conflict.${side}`)), h('span', valueText(name, task[name], people)))
	const onsubmit = event => {
		event.preventDefault()
		const chosen = [...new FormData(event.target)].filter(([, side]) => side === 'yours')
		resolve(id, Object.fromEntries(chosen.map(([name]) => [name, patch[name]])))
	}
	return h('form.card.fields.conflict', {onsubmit},
		h('div', h('h2', t('conflict.title')), t('conflict.text', {name: nameOf(people, conflict.updated_by), when: ago(conflict.updated_at)})),
		Object.keys(patch).map(name => h('fieldset.fields.pairs', h('legend', t(`task.${name}`)), choice(name, 'now', conflict), choice(name, 'yours', patch))),
		h('div.actions', h('button.primary', {type: 'submit'}, t('form.save')), button(t('conflict.theirs'), () => resolve(id))))
}
