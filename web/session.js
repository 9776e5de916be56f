// Who somebody is, and what is there for those without a session.
import * as api from './api.js'
import {failure, h, put, t} from './dom.js'
import {field, form} from './form.js'
import {setLocale} from './i18n.js'

let me

const tabs = new BroadcastChannel('baton-session')
tabs.onmessage = ({data}) => {
	if (data === (me?.id ?? null)) return
	api.drop()
	if (!data) dispatchEvent(new Event('signedout'))
	// What this page shows is another's.
	else if (me) location.reload()
	else arrive().catch(() => {})
}

const arrive = () => whoAmI().then(() => dispatchEvent(new Event('signedin')))

export async function whoAmI() {
	if (!me) await api.get('/v1/me').then(setMe, error => {
		if (!(error instanceof api.SignedOut)) throw error
	})
	return me
}

export const current = () => me

export function setMe(changed) {
	me = changed
	if (me) setLocale(me.locale, me.time_zone)
}

// In every tab; reloading forgets all that this page held.
export function leave(to = '#/login') {
	setMe(null)
	tabs.postMessage(null)
	location.replace(to)
	location.reload()
}

export const logOut = () => api.logOut().then(() => leave())

export const gate = (title, ...children) => ({
	title,
	node: h('div.gate',
		h('div.gate-brand', h('img', {src: 'favicon.svg', alt: '', width: 48, height: 48}), h('strong', 'Baton'), h('p', t('app.tagline'))),
		h('section.card', h('h1', title), children))
})

export const aside = (href, link) => h('p.aside', h('a', {href}, link))

const known = (name, autocomplete, more) => field({name, label: t(`session.${name}`), autocomplete, ...more})
export const nameField = more => known('name', 'name', more)
export const emailField = more => known('email', 'username', {kind: 'email', ...more})
export const passwordField = more => known('password', 'current-password', {kind: 'password', ...more})
// The authenticator app shows it in groups.
export const codeField = hint => known('code', 'one-time-code', {hint, as: it => it.replace(/\s/g, '')})

export function newPassword(more) {
	const password = passwordField({name: 'new', label: t('password.new'), autocomplete: 'new-password', hint: t('password.hint'), ...more})
	const onchange = ({target}) => {
		password.input.type = target.checked ? 'text' : 'password'
	}
	password.node.append(h('label.check', h('input', {type: 'checkbox', onchange}), t('password.show')))
	return password
}

// A change to the account asks for the password once more, and for a code where a second factor is on.
export const proofForm = (factor, {method = 'POST', path, fields = [], password = passwordField(), after = [], sure, then, submit}) => form({
	fields: [...fields, password, ...(factor.enabled ? [codeField(t('session.codeHint'))] : []), ...after],
	submit,
	onSubmit: async (values, node) => {
		if (sure && !confirm(sure)) return
		const body = Object.fromEntries(Object.entries(values).filter(([, it]) => it !== ''))
		await then(await api.request(method, path, {body}), node)
	}
})

export function logInPage(query, alert) {
	const title = t('session.logIn')
	const page = gate(title)
	const show = (title, ...children) => put(page.node.lastChild, h('h1', title), children)
	const prove = async proof => {
		const answer = await api.logIn(proof)
		if (answer.ticket) return askForCode(answer)
		tabs.postMessage(answer.user.id)
		await arrive()
	}
	const ask = (fields, onSubmit) => form({fields, submit: title, onSubmit})
	const askForPassword = alert => show(title,
		query.has('ready') && h('p.good', t('session.ready')),
		alert && failure(alert),
		ask([emailField(), passwordField()], prove),
		aside('#/forgot', t('password.forgot')),
		aside('#/sign-up', t('session.signUp')))
	const askForCode = ({ticket, expires_in}) => {
		const until = Date.now() + expires_in * 1000
		const code = codeField(t('session.codeHint'))
		// A wrong code and a ticket out of date are answered alike: the clock tells them apart.
		show(t('factor.title'), ask([code], ({code: typed}) => Date.now() > until ? askForPassword(t('session.ended'))
			: prove({ticket, [/^\d{6}$/.test(typed) ? 'code' : 'recovery_code']: typed})))
		code.focus()
	}
	askForPassword(alert)
	return page
}
