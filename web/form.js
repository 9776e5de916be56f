import { h, put } from './dom.js';
import { t } from './i18n.js';

let made = 0;

/**
 * A labelled input, and beside it the place of its mistake. `kind` is an input type, textarea, select or labels; a `name` may be a
 * path, as `notify/status`; `as` makes what is sent of what was typed.
 */
export function field({ name, label, kind = 'text', value = '', options = [], hint, required, min = 0, max = Infinity, as = (it) => it, ...more }) {
	const id = `field-${++made}`;
	const error = h('p.error', { id: `${id}-error`, hidden: true });
	const attributes = { id, name, 'aria-required': required && 'true', 'aria-describedby': `${hint ? `${id}-hint ` : ''}${id}-error`, ...more };
	const input = kind === 'select' ? h('select', attributes, options.map(([key, text]) => h('option', { value: key }, text)))
		: kind === 'textarea' ? h('textarea', { rows: 5, ...attributes })
		: h('input', { type: kind === 'labels' ? 'text' : kind, ...attributes });
	const held = kind === 'checkbox' ? 'checked' : 'value';
	// A space belongs to a password, also while it is shown.
	const asTyped = ['password', 'textarea', 'checkbox'].includes(kind);
	const { node = input, read, write } = kind === 'labels' ? labelsOf(input, label) : {
		read: () => (asTyped ? input[held] : input.value.trim()),
		write(now) {
			// What is stored is shown even where it is no longer among the choices.
			if (kind === 'select' && !options.some(([key]) => key === now)) input.append(h('option', { value: now }, now));
			input[held] = now;
		},
	};
	const show = (text) => {
		error.hidden = !text;
		put(error, text);
		input.ariaInvalid = text ? 'true' : null;
	};
	const mistake = () => {
		const now = read();
		if (typeof now !== 'string') return '';
		// Unicode scalar values, as the API counts them; `maxlength` would count UTF-16 units and cut a paste without a word.
		const { length } = [...now];
		if (length === 0) return required ? t('form.required') : '';
		if (length < min) return t('form.tooShort', { min });
		return length > max ? t('form.tooLong', { max, length }) : '';
	};
	const head = h('label', { for: id }, label);
	write(value);
	return {
		name,
		node: h(`div.field.field-${name}`, kind === 'checkbox' ? h('div.check', node, head) : [head, node], hint && h('p.hint', { id: `${id}-hint` }, hint), error),
		input,
		read: () => as(read()),
		write,
		show,
		focus: () => input.focus(),
		check() {
			show(mistake());
			return error.hidden;
		},
	};
}

function labelsOf(input, label) {
	let labels;
	const chips = h('ul.chips', { 'aria-label': label });
	const read = () => [...new Set([...labels, input.value.trim()])].filter(Boolean);
	const write = (now) => {
		labels = now || [];
		input.value = '';
		put(chips, labels.map((text) => h('li.chip', text, !input.disabled && h('button', {
			type: 'button',
			'aria-label': t('form.removeLabel', { label: text }),
			onclick: () => {
				change(read().filter((it) => it !== text));
				input.focus();
			},
		}, '×'))));
	};
	const change = (now) => {
		write(now);
		input.dispatchEvent(new Event('change', { bubbles: true }));
	};
	input.placeholder = t('form.addLabel');
	input.autocomplete = 'off';
	input.addEventListener('keydown', (event) => {
		// Enter that ends a Korean syllable is the input method's.
		if (event.key !== 'Enter' || event.isComposing || !input.value.trim()) return;
		event.preventDefault();
		change(read());
	});
	input.addEventListener('blur', () => input.value && write(read()));
	return { node: h('div.labels', chips, input), read, write };
}

/** Reads its fields, sends them by `onSubmit`, and shows each mistake of the answer beside the field its pointer names. */
export function form({ fields, submit, onSubmit, extra, class: kind = '' }) {
	const message = h('p.form-error', { role: 'alert', hidden: true });
	const button = h('button.primary', { type: 'submit' }, submit);
	const say = (text) => {
		message.hidden = !text;
		put(message, text);
	};
	const onsubmit = async (event) => {
		event.preventDefault();
		if (button.disabled) return;
		say('');
		const wrong = fields.filter((it) => !it.check());
		if (wrong.length > 0) return wrong[0].focus();
		button.disabled = true;
		try {
			await onSubmit(valuesOf(fields), node);
		} catch (error) {
			say(showMistakes(fields, error));
		}
		button.disabled = false;
	};
	const node = h('form', { novalidate: true, class: `form ${kind}`, onsubmit }, h('div.fields', fields.map((it) => it.node)), message, h('div.actions', button, extra));
	return node;
}

function valuesOf(fields) {
	const values = {};
	for (const { name, read } of fields) {
		const path = name.split('/');
		const last = path.pop();
		path.reduce((inner, key) => inner[key] ??= {}, values)[last] = read();
	}
	return values;
}

// What has no field to stand beside is left for the form to say.
function showMistakes(fields, error) {
	if (!error.fields?.length) return error.message;
	const isWithin = (outer, inner) => `${inner}/`.startsWith(`${outer}/`);
	const rest = [];
	let first;
	for (const { pointer, detail } of error.fields) {
		const path = pointer.slice(1);
		const place = fields.find((it) => isWithin(it.name, path)) ?? fields.find((it) => isWithin(path, it.name));
		if (place) place.show(detail);
		else rest.push(detail);
		first ??= place;
	}
	first?.focus();
	return rest.join(' ');
}
