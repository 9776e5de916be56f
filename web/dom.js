// Elements are built here and nowhere else, always from text: nothing a person typed is ever parsed as HTML.
import { t } from './i18n.js';

/**
 * An element by its tag and classes, as in `p.hint`, with attributes where the second argument is a plain object. `onclick` and the
 * like become listeners, `true` an empty attribute; null, undefined and false are left out.
 */
export function h(name, ...children) {
	const [tag, ...classes] = name.split('.');
	const element = document.createElement(tag);
	if (classes.length > 0) element.className = classes.join(' ');
	if (children[0]?.constructor === Object) {
		for (const [key, value] of Object.entries(children.shift())) {
			if (value === null || value === undefined || value === false) continue;
			if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
			else element.setAttribute(key, value === true ? '' : String(value));
		}
	}
	return put(element, children);
}

/** Replaces what an element holds. */
export function put(element, ...children) {
	element.replaceChildren(...children.flat(Infinity).filter((it) => it !== null && it !== undefined && it !== false));
	return element;
}

/** Says something in passing, to eyes and to screen readers; `label` names a button that does `act` as long as it is there. */
export function notice(text, label, act) {
	const place = document.getElementById('notice');
	put(place, h('p', text, label && button(label, () => {
		put(place);
		return act();
	})));
	clearTimeout(notice.timer);
	notice.timer = setTimeout(() => put(place), 6000);
}

/** Puts the focus on what is not reached by the keyboard, as a heading that just appeared. */
export function focusOn(element) {
	element.tabIndex = -1;
	element.focus({ preventScroll: true });
}

/** Runs what a button does, once at a time; a failure goes to `failed`. */
export function button(label, act, { failed = (error) => notice(error.message), ...attributes } = {}) {
	const onclick = async () => {
		element.disabled = true;
		try {
			await act();
		} catch (error) {
			failed(error);
		} finally {
			element.disabled = false;
		}
	};
	const element = h('button', { type: 'button', ...attributes, onclick }, label);
	return element;
}

/** One of a list: what it is, a smaller line about it, and what can be done with it. */
export const row = (text, hint, ...actions) => h('li.row', h('div.grow', text, h('p.hint', hint)), actions);

/** A list that `load`s a page of items at a time, by the cursor of the last, the first of them at once. */
export async function paged(list, load, draw) {
	let cursor = null;
	const add = async () => {
		const answer = await load(cursor);
		cursor = answer.next_cursor;
		more.hidden = cursor === null;
		list.append(...answer.items.map(draw));
	};
	const more = button(t('app.more'), add, { class: 'quiet more' });
	await add();
	return [list, more];
}

/** What a list shows when it has nothing. */
export const empty = (title, text, ...actions) => h('div.empty', h('p.empty-title', title), text && h('p', text), actions);

/** A part of a page that is loaded when it is first opened. `load` gets a function that loads it again. */
export function fold(title, load, mark) {
	const place = h('div.fold');
	const draw = async () => {
		try {
			put(place, await load(draw));
		} catch (error) {
			put(place, h('p.form-error', { role: 'alert' }, error.message));
		}
	};
	return h('details.card', { ontoggle: (event) => event.target.open && !place.hasChildNodes() && draw() }, h('summary', title, mark && h('span.you', mark)), place);
}

/** Text that is to be kept somewhere else: a click selects all of it. */
export const copyable = (text) => h('pre.copyable', { tabindex: 0 }, text);
