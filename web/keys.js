// Keys that act on the page shown, and the dialog that lists them.
import { button, h } from './dom.js';
import { t } from './i18n.js';

const SIGNS = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Delete: 'Del', Escape: 'Esc' };
const TYPING = 'input, textarea, select, [contenteditable], dialog';
let shortcuts = [];
let first = '';
let timer;

/**
 * Lets a key act: `n`, `Shift+ArrowLeft`, two one after the other as `g m`, either of two as `j,ArrowDown`. With a `scope` only
 * while the focus is within that element. `act` gets the event; it returns false where the key is not for it.
 */
export function shortcut(keys, label, act, { scope } = {}) {
	shortcuts.push({ keys: String(keys).split(','), label, act, scope });
}

export function clearShortcuts() {
	shortcuts = [];
}

/** What opens the list by mouse or touch. */
export const helpButton = () => h('button.quiet.help', { type: 'button', 'aria-label': t('keys.title'), title: t('keys.title'), 'aria-keyshortcuts': '?', onclick: help }, '?');

function help() {
	const close = () => dialog.close();
	const kbd = (keys) => keys.split(/[ +]/).map((it) => h('kbd', SIGNS[it] ?? it));
	const rows = [...shortcuts, { keys: ['?'], label: t('keys.title') }];
	const dialog = h('dialog.keys', { 'aria-labelledby': 'keys-title', closedby: 'any', onclose: () => dialog.remove() },
		h('h2', { id: 'keys-title' }, t('keys.title')),
		h('dl', rows.map(({ keys, label }) => h('div', h('dt', keys.map(kbd)), h('dd', label)))),
		h('div.actions', button(t('keys.close'), close)));
	document.body.append(dialog);
	dialog.showModal();
}

// In a Hangul layout the key `j` arrives as `ㅓ`: where it stands on the keyboard tells which one is meant.
function nameOf({ key, code, shiftKey }) {
	if (key.length > 1 && key !== 'Process') return `${shiftKey ? 'Shift+' : ''}${key}`;
	return /^[ -~]$/.test(key) || !code.startsWith('Key') ? key : code.slice(3).toLowerCase();
}

addEventListener('keydown', (event) => {
	const { target, isComposing, ctrlKey, altKey, metaKey, defaultPrevented } = event;
	if (isComposing || ctrlKey || altKey || metaKey || defaultPrevented || !event.key || target.closest?.(TYPING)) return;
	const key = nameOf(event);
	// Enter on a link or a button does what that says.
	if (key === 'Shift+Shift' || (key === 'Enter' && target.closest?.('a, button, summary'))) return;
	const acts = (keys) => shortcuts.findLast((it) => it.keys.includes(keys) && (it.scope?.contains(target) ?? true) && it.act(event) !== false);
	const both = first && `${first} ${key}`;
	first = '';
	clearTimeout(timer);
	if ((both && acts(both)) || acts(key)) return event.preventDefault();
	if (key === '?') return help();
	if (!shortcuts.some((it) => it.keys.some((keys) => keys.startsWith(`${key} `)))) return;
	first = key;
	timer = setTimeout(() => {
		first = '';
	}, 1500);
});
