import { h, put } from './dom.js';
import { t } from './i18n.js';

let made = 0;

// Lengths count Unicode scalar values, as the API counts them; `maxlength` would count UTF-16 units and cut a paste without a word.
const lengthOf = (text) => [...text].length;

/** One labelled input and the place beside it where its mistake is shown. `kind` is an input type, textarea, select or labels. */
export function field({ name, label, kind = 'text', value = '', options = [], hint, required = false, min = 0, max = Infinity, ...attributes }) {
	const id = `field-${++made}`;
	const error = h('p.error', { id: `${id}-error`, hidden: true });
	const common = { id, name, 'aria-required': required && 'true', 'aria-describedby': `${hint ? `${id}-hint ` : ''}${id}-error`, ...attributes };
	const parts = kind === 'labels' ? labelsInput(common, label)
		: kind === 'select' ? selectInput(common, options)
		: kind === 'textarea' ? plainInput(h('textarea', { rows: 5, ...common }), true)
		// A space belongs to a password, also while it is shown.
		: plainInput(h('input', { type: kind, ...common }), kind === 'password');
	parts.write(value);
	const show = (text) => {
		error.hidden = !text;
		put(error, text);
		if (text) parts.input.setAttribute('aria-invalid', 'true');
		else parts.input.removeAttribute('aria-invalid');
	};
	return {
		name,
		node: h('div', { class: `field field-${name}` }, h('label', { for: id }, label), parts.node, hint && h('p.hint', { id: `${id}-hint` }, hint), error),
		read: parts.read,
		write: parts.write,
		show,
		focus: () => parts.input.focus(),
		check() {
			const now = parts.read();
			if (typeof now !== 'string') return true;
			const length = lengthOf(now);
			if (required && length === 0) show(t('form.required'));
			else if (length > 0 && length < min) show(t('form.tooShort', { min }));
			else if (length > max) show(t('form.tooLong', { max, length }));
			else return true;
			return false;
		},
	};
}

const plainInput = (input, asTyped = false) => ({
	node: input,
	input,
	read: () => (asTyped ? input.value : input.value.trim()),
	write: (value) => {
		input.value = value;
	},
});

function selectInput(attributes, options) {
	const input = h('select', attributes, options.map(([value, text]) => h('option', { value }, text)));
	return {
		node: input,
		input,
		read: () => input.value,
		write: (value) => {
			// What is stored is shown even where it is no longer among the choices.
			if (![...input.options].some((it) => it.value === value)) input.append(h('option', { value }, value));
			input.value = value;
		},
	};
}

function labelsInput(attributes, label) {
	let labels = [];
	const chips = h('ul.chips', { 'aria-label': label });
	const add = () => {
		const text = input.value.trim();
		if (text && !labels.includes(text)) labels = [...labels, text];
		input.value = '';
		draw();
	};
	const input = h('input', {
		type: 'text',
		placeholder: t('form.addLabel'),
		autocomplete: 'off',
		...attributes,
		onkeydown: (event) => {
			// Enter that ends a Korean syllable is the input method's.
			if (event.key !== 'Enter' || event.isComposing || !input.value.trim()) return;
			event.preventDefault();
			add();
		},
		onblur: () => input.value.trim() && add(),
	});
	const draw = () => put(chips, labels.map((text) => h('li.chip', text, !input.disabled && h('button', {
		type: 'button',
		'aria-label': t('form.removeLabel', { label: text }),
		onclick: () => {
			labels = labels.filter((it) => it !== text);
			draw();
			input.focus();
		},
	}, '×'))));
	return {
		node: h('div.labels', chips, input),
		input,
		read: () => {
			const typed = input.value.trim();
			return typed && !labels.includes(typed) ? [...labels, typed] : labels;
		},
		write: (value) => {
			labels = [...(value || [])];
			input.value = '';
			draw();
		},
	};
}

/** A form: reads its fields, sends them, and shows each mistake of the answer beside the field its pointer names. */
export function form({ fields, submit, onSubmit, head, extra = [], class: kind = '' }) {
	const message = h('p.form-error', { role: 'alert', hidden: true });
	const button = h('button', { type: 'submit', class: 'primary' }, submit);
	const say = (text) => {
		message.hidden = !text;
		put(message, text);
	};
	const node = h('form', {
		novalidate: true,
		class: `form ${kind}`,
		onsubmit: async (event) => {
			event.preventDefault();
			if (button.disabled) return;
			say('');
			fields.forEach((it) => it.show(''));
			const wrong = fields.filter((it) => !it.check());
			if (wrong.length > 0) return wrong[0].focus();
			button.disabled = true;
			node.setAttribute('aria-busy', 'true');
			try {
				await onSubmit(Object.fromEntries(fields.map((it) => [it.name, it.read()])));
			} catch (error) {
				const rest = showMistakes(fields, error);
				if (rest) say(rest);
			} finally {
				button.disabled = false;
				node.removeAttribute('aria-busy');
			}
		},
	}, head, h('div.fields', fields.map((it) => it.node)), message, h('div.actions', button, extra));
	return node;
}

function showMistakes(fields, error) {
	const placed = [];
	const rest = [];
	for (const { pointer = '', detail } of error.fields ?? []) {
		const name = pointer.replace(/^#?\//, '').split('/')[0];
		const place = fields.find((it) => it.name === name);
		if (place) {
			place.show(detail);
			placed.push(place);
		} else {
			rest.push(detail);
		}
	}
	placed[0]?.focus();
	if (placed.length === 0 && rest.length === 0) return error.message;
	return rest.join(' ');
}
