import * as api from './api.js'
import {h, put, t} from './dom.js'
import {form} from './form.js'
import {aside, codeField, emailField, gate, passwordField} from './gate.js'
import {setLocale} from './i18n.js'

let me = null

const tabs = new BroadcastChannel('baton-session')
tabs.onmessage = ({data}) => {
	if (data === (me?.id ?? null)) return
	api.drop()
	if (!data) dispatchEvent(new Event('signedout'))
	// What this page shows is another's.
	else if (me) location.reload()
	else arrive().catch(() => {})
}

async function arrive() {
	await whoAmI()
	dispatchEvent(new Event('signedin'))
}

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

export function leave(to = '#/login') {
	setMe(null)
	tabs.postMessage(null)
	location.replace(to)
	location.reload()
}

export const logOut = () => api.logOut().then(() => leave())

export function logInPage(query, alert) {
	const page = gate(t('session.logIn'))
	const card = page.node.lastChild
	const prove = async proof => {
		const answer = await api.logIn(proof)
		if (answer.ticket) return askForCode(answer)
		tabs.postMessage(answer.user.id)
		await arrive()
	}
	const askForPassword = alert => put(card,
		h('h1', t('session.logIn')),
		query.has('ready') && h('p.good', t('session.ready')),
		alert && h('p.form-error', {role: 'alert'}, alert),
		form({fields: [emailField(), passwordField()], submit: t('session.logIn'), onSubmit: prove}),
		aside('#/forgot', t('password.forgot')),
		aside('#/sign-up', t('session.signUp')))
	const askForCode = ({ticket, expires_in}) => {
		const until = Date.now() + expires_in * 1000
		const code = codeField(t('session.codeHint'))
		put(card, h('h1', t('factor.title')), form({
			fields: [code],
			submit: t('session.logIn'),
			// A wrong code and a ticket out of date are answered alike, so the clock tells them apart.
			onSubmit: ({code: typed}) => {
				if (Date.now() > until) return askForPassword(t('session.ended'))
				return prove({ticket, [/^\d{6}$/.test(typed) ? 'code' : 'recovery_code']: typed})
			}
		}))
		code.focus()
	}
	askForPassword(alert)
	return page
}
