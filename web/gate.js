// The card of somebody without a session, and what tells who somebody is.
import {request} from './api.js'
import {h, t} from './dom.js'
import {field, form} from './form.js'

export const gate = (title, ...children) => ({
	title,
	node: h('div.gate',
		h('div.gate-brand', h('img', {src: 'favicon.svg', alt: '', width: 48, height: 48}), h('strong', 'Baton'), h('p', t('app.tagline'))),
		h('section.card', h('h1', title), children))
})

export const aside = (href, link) => h('p.aside', h('a', {href}, link))

export const nameField = more => field({name: 'name', label: t('session.name'), autocomplete: 'name', ...more})
export const emailField = more => field({name: 'email', label: t('session.email'), kind: 'email', autocomplete: 'username', ...more})
export const passwordField = more => field({name: 'password', label: t('session.password'), kind: 'password', autocomplete: 'current-password', ...more})
export const codeField = hint => field({name: 'code', label: t('session.code'), hint, autocomplete: 'one-time-code', as: it => it.replace(/\s/g, '')})

export function newPassword(more) {
	const password = passwordField({name: 'new', label: t('password.new'), autocomplete: 'new-password', hint: t('password.hint'), ...more})
	const onchange = ({target}) => {
		password.input.type = target.checked ? 'text' : 'password'
	}
	password.node.append(h('label.check', h('input', {type: 'checkbox', onchange}), t('password.show')))
	return password
}

export const proofForm = (factor, {method = 'POST', path, fields = [], password = passwordField(), after = [], sure, then, submit}) => form({
	fields: [...fields, password, ...(factor.enabled ? [codeField(t('session.codeHint'))] : []), ...after],
	submit,
	onSubmit: async (values, node) => {
		if (sure && !confirm(sure)) return
		// What is left empty is not asked for.
		const body = Object.fromEntries(Object.entries(values).filter(([, it]) => it !== ''))
		await then((await request(method, path, {body})).body, node)
	}
})
