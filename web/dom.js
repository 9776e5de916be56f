// Elements are built here and nowhere else, always from text: nothing a person typed is ever parsed as HTML.
import { t } from './i18n.js';

export { t };

const isSomething = (it) => it !== null && it !== undefined && it !== false;

/** An element by its tag and classes, as in `p.hint`, with attributes and listeners where the second argument is a plain object. */
export function h(name, ...children) {
	const [tag, ...classes] = name.split('.');
	const element = document.createElement(tag);
	if (classes.length > 0) element.className = classes.join(' ');
	const attributes = children[0]?.constructor === Object ? children.shift() : {};
	for (const [key, value] of Object.entries(attributes)) {
		if (!isSomething(value)) continue;
		if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
		else element.setAttribute(key, value === true ? '' : value);
	}
	return put(element, children);
}

/** Replaces what an element holds. */
export function put(element, ...children) {
	element.replaceChildren(...children.flat(Infinity).filter(isSomething));
	return element;
}

/** Says something in passing; `label` names a button that does `act` as long as it is there. */
export function notice(text, label, act) {
	const place = document.getElementById('notice');
	put(place, h('p', text, label && button(label, () => {
		put(place);
		return act();
	})));
	clearTimeout(notice.timer);
	notice.timer = setTimeout(() => put(place), 6000);
}

/** Puts the focus where the keyboard does not lead, as on a heading that just appeared. */
export function focusOn(element) {
	element.tabIndex = -1;
	element.focus({ preventScroll: true });
}

/** Does what a button is for, once at a time. It keeps the focus, which `disabled` would take from it. */
export async function once(button, act, failed) {
	if (button.ariaDisabled) return;
	button.ariaDisabled = 'true';
	try {
		await act();
	} catch (error) {
		failed(error);
	}
	button.ariaDisabled = null;
}

export function button(label, act, { failed = (error) => notice(error.message), ...attributes } = {}) {
	const element = h('button', { type: 'button', ...attributes, onclick: () => once(element, act, failed) }, label);
	return element;
}

/** What a list shows when it has nothing. */
export const empty = (title, text, ...actions) => h('div.empty', h('p.empty-title', title), h('p', text), actions);

/** One of a list: what it is, a smaller line about it, and what can be done with it. */
export const row = (text, hint, ...actions) => h('li.row', h('div.grow', text, h('p.hint', hint)), actions);

/** A list that `load`s a page of items at a time, by the cursor of the last, the first of them at once. */
export async function paged(list, load, draw) {
	let cursor = null;
	const add = async () => {
		const answer = await load(cursor);
		cursor = answer.next_cursor;
		more.hidden = !cursor;
		list.append(...answer.items.map(draw));
	};
	const more = button(t('app.more'), add, { class: 'quiet more' });
	await add();
	return [list, more];
}

/** A part of a page that is loaded when it is first opened. `load` gets a function that loads it again. */
export function fold(title, load, mark) {
	const place = h('div.fold');
	const draw = async () => put(place, await Promise.resolve(draw).then(load).catch((error) => h('p.form-error', { role: 'alert' }, error.message)));
	return h('details.card', { ontoggle: ({ target }) => target.open && !place.hasChildNodes() && draw() }, h('summary', title, mark && h('span.you', mark)), place);
}

/** Text to be kept somewhere else: a click selects all of it. */
export const copyable = (text) => h('pre.copyable', { tabindex: 0 }, text);
