import {request} from './api.js'
import {button, failure, h, once, put, t} from './dom.js'

let made = 0

export function field({name, at, label, kind = 'text', value = '', options = [], hint, as = it => it, ...more}) {
	const id = `field-${++made}`
	const error = h('p.error', {id: `${id}-error`})
	const input = h(/select|textarea/.test(kind) ? kind : 'input', {type: kind, id, name, 'aria-describedby': `${id}-hint ${id}-error`, ...more},
		options.map(([key, text]) => h('option', {value: key}, text)))
	const held = kind === 'checkbox' ? 'checked' : 'value'
	// A password keeps its spaces, also while it is shown.
	const asTyped = /password|textarea|checkbox/.test(kind)
	const {node = input, read, write} = kind === 'labels' ? labelsOf(input, label) : {
		read: () => (asTyped ? input[held] : input.value.trim()),
		write(now) {
			// What is stored may be no choice any more.
			if (kind === 'select' && !options.some(([key]) => key === now)) input.append(h('option', {value: now}, now))
			input[held] = now
		}
	}
	const head = h('label', {for: id}, label)
	write(value)
	return {
		name,
		at,
		input,
		node: h(`div.field.field-${name}`, kind === 'checkbox' ? h('div.check', node, head) : [head, node], h('p.hint', {id: `${id}-hint`}, hint), error),
		read: () => as(read()),
		write,
		show(text) {
			put(error, text)
			input.ariaInvalid = text ? 'true' : null
		},
		focus: () => input.focus()
	}
}

function labelsOf(input, label) {
	let labels
	const chips = h('ul.chips', {'aria-label': label})
	const read = () => [...new Set([...labels, input.value.trim()])].filter(Boolean)
	const write = now => {
		labels = now || []
		input.value = ''
		put(chips, labels.map(text => h('li', button(`${text} ×`, () => {
			change(read().filter(it => it !== text))
			input.focus()
		}, {'aria-label': t('form.removeLabel', {label: text}), disabled: input.disabled}))))
	}
	const change = now => {
		write(now)
		input.dispatchEvent(new Event('change', {bubbles: true}))
	}
	input.placeholder = t('form.addLabel')
	input.addEventListener('keydown', event => {
		// Enter may end a Korean syllable.
		if (event.key !== 'Enter' || event.isComposing || !input.value.trim()) return
		event.preventDefault()
		change(read())
	})
	input.addEventListener('blur', () => input.value && write(read()))
	return {node: h('div.labels', chips, input), read, write}
}

export function form({fields, submit, onSubmit, extra, class: kind = ''}) {
	const message = failure()
	const send = h('button.primary', {type: 'submit'}, submit)
	const onsubmit = event => {
		event.preventDefault()
		once(send, async () => {
			put(message)
			fields.forEach(it => it.show(''))
			await onSubmit(Object.fromEntries(fields.map(it => [it.name, it.read()])), node)
			node.classList.remove('typed')
		}, error => put(message, showMistakes(fields, error)))
	}
	const node = h('form', {novalidate: true, class: `form ${kind}`, onsubmit, oninput: () => node.classList.add('typed')},
		h('div.fields', fields.map(it => it.node)), message, h('div.actions', send, extra))
	return node
}

export const removal = (word, name, path, then, more) => button(t(word), () => confirm(`${t(word)}: ${name}?`) && request('DELETE', path).then(then), {'aria-label': `${t(word)}: ${name}`, ...more})

// Returns what belongs to no field.
function showMistakes(fields, {fields: mistakes = [], message}) {
	const rest = mistakes.toReversed().filter(({pointer, detail}) => {
		const path = pointer.split('/')
		const place = fields.find(it => path.includes(it.name) || path.includes(it.at))
		place?.show(detail)
		place?.input.focus()
		return !place
	})
	return mistakes[0] ? rest.map(it => it.detail).join(' ') : message
}
