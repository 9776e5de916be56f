// Elements are built here and nowhere else, from text: nothing typed is ever parsed as HTML.
import {t} from './i18n.js'

export {t}

const isSomething = it => (it ?? false) !== false

export function h(name, ...children) {
	const [tag, ...classes] = name.split('.')
	const [, svg] = tag.split(':')
	const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', svg) : document.createElement(tag)
	if (classes[0]) element.setAttribute('class', classes.join(' '))
	for (const [key, value] of Object.entries(children[0]?.constructor === Object ? children.shift() : {})) {
		if (!isSomething(value)) continue
		if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
		else element.setAttribute(key, value === true ? '' : value)
	}
	return put(element, children)
}

// They turn the direction of what follows, too.
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g

export function put(element, ...children) {
	element.replaceChildren(...children.flat(Infinity).filter(isSomething).map(it => it.replace?.(TURNS, '') ?? it))
	return element
}

export function notice(text, label, act) {
	const place = document.getElementById('notice')
	const clear = () => put(place)
	put(place, h('p', text, label && button(label, () => act(clear()))))
	clearTimeout(notice.timer)
	notice.timer = setTimeout(clear, 6000)
}

export function focusOn(element) {
	element.tabIndex = -1
	element.focus({preventScroll: true})
}

export async function once(button, act, failed) {
	if (button.ariaDisabled) return
	button.ariaDisabled = 'true'
	try {
		await act()
	} catch (error) {
		failed(error)
	}
	button.ariaDisabled = null
}

export function button(label, act, {failed = error => notice(error.message), ...more} = {}) {
	const element = h('button', {type: 'button', ...more, onclick: () => once(element, act, failed)}, label)
	return element
}

export const failure = text => h('p.form-error', {role: 'alert'}, text)

export const empty = (title, text, ...actions) => h('div.empty', h('p.empty-title', title), h('p', text), actions)

export const row = (text, hint, ...actions) => h('li.row', h('div.grow', text, h('p.hint', hint)), actions)

export async function paged(list, load, draw) {
	let cursor = null
	const add = async () => {
		const answer = await load(cursor)
		cursor = answer.next_cursor
		more.hidden = !cursor
		list.append(...answer.items.map(draw))
	}
	const more = button(t('app.more'), add, {class: 'quiet more'})
	await add()
	return [list, more]
}

export function fold(title, load) {
	const place = h('div.fold')
	const draw = async () => put(place, await Promise.resolve(draw).then(load).catch(error => failure(error.message)))
	return h('details.card', {ontoggle: ({target}) => target.open && !place.querySelector(':scope > :not(.form-error)') && draw()}, h('summary', title), place)
}

export const copyable = text => h('pre.copyable', {tabindex: 0}, text)
