// Keys that act on the page shown, and the dialog that lists them.
import { button, h } from './dom.js';
import { t } from './i18n.js';

const SIGNS = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→' };
let shortcuts = [];
let first = {};

/** Lets a key act: `n`, `Shift+ArrowLeft`, `g m` one after the other, `j,ArrowDown` either. `act` returns false where it is not meant. */
export const shortcut = (keys, label, act) => shortcuts.push({ keys: `${keys}`.split(','), label, act });

export function clearShortcuts() {
	shortcuts = [];
}

export const helpButton = () => button('?', help, { class: 'quiet help', 'aria-label': t('keys.title') });

function help() {
	const keys = (it) => it.split(/[ +]/).map((key) => h('kbd', SIGNS[key] ?? key));
	const dialog = h('dialog.keys', { 'aria-label': t('keys.title'), closedby: 'any', onclose: () => dialog.remove() },
		h('h2', t('keys.title')), shortcuts.map((it) => h('p', h('span', it.keys.map(keys)), it.label)), button(t('keys.close'), () => dialog.close()));
	document.body.append(dialog);
	dialog.showModal();
}

addEventListener('keydown', (event) => {
	const { target, key, code, shiftKey, timeStamp } = event;
	// Enter on a link or a button does what that says.
	const busy = key === 'Enter' ? 'a, button, input, select, summary, textarea, dialog' : 'input, select, textarea, dialog';
	if (!key || key === 'Shift' || event.isComposing || event.ctrlKey || event.altKey || event.metaKey || target.closest(busy)) return;
	// In a Hangul layout `j` arrives as `ㅓ`: where it stands on the keyboard tells which key is meant.
	const name = key > '~' && code.startsWith('Key') ? code[3].toLowerCase() : key.length > 1 && shiftKey ? `Shift+${key}` : key;
	const does = (keys) => shortcuts.findLast((it) => it.keys.includes(keys) && it.act(event) !== false);
	const both = timeStamp - first.timeStamp < 1500 && `${first.name} ${name}`;
	first = { name, timeStamp };
	if (does(both) || does(name)) event.preventDefault();
	else if (name === '?') help();
});
