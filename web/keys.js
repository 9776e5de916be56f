import {button, h, t} from './dom.js'

const shortcuts = []
let before = {}

export const shortcut = (keys, label, act) => shortcuts.push({keys: keys.split(','), label, act})

export const clearShortcuts = () => shortcuts.splice(0)

export const helpButton = () => button('?', help, {class: 'quiet help', 'aria-label': t('keys.title')})

function help() {
	const line = ({keys, label}) => h('p', h('span', keys.map(it => h('kbd.mark', it.replace('Arrow', '')))), label)
	const dialog = h('dialog.keys', {'aria-label': t('keys.title'), closedby: 'any', onclose: () => dialog.remove()},
		h('h2', t('keys.title')), shortcuts.map(line), button(t('keys.close'), () => dialog.close()))
	document.body.append(dialog)
	dialog.showModal()
}

addEventListener('keydown', event => {
	const {target, key, code, shiftKey, timeStamp} = event
	if (!key || event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || document.querySelector('dialog[open]')) return
	if (target.closest('input, select, textarea')) return key === 'Escape' && target.blur()
	if (key === 'Enter' && target.closest('a, button, summary')) return
	// A Hangul layout says `ㅓ` for `j`: its place tells.
	const name = key > '~' && code.startsWith('Key') ? code[3].toLowerCase() : key.length > 1 && shiftKey ? `Shift+${key}` : key
	const does = keys => shortcuts.findLast(it => it.keys.includes(keys) && it.act(event) !== false)
	const both = timeStamp - before.timeStamp < 1500 && `${before.name} ${name}`
	before = {name, timeStamp}
	if (does(both) || does(name)) event.preventDefault()
	else if (name === '?') help()
})
