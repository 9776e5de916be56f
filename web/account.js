import {get, open} from './api.js'
import {button, focusOn, h, notice, put, t} from './dom.js'
import {form} from './form.js'
import {aside, emailField, gate, nameField, newPassword, passwordField, proofForm} from './gate.js'
import {locale} from './i18n.js'
import {leave} from './session.js'

const toLogIn = () => aside('#/login', t('session.logIn'))

// Replaces the card of a form by what came of it.
function done(form, title, text) {
	const heading = h('h1', title)
	put(form.closest('.card'), heading, h('p', text), toLogIn())
	focusOn(heading)
}

// Sends the token of a mailed link.
const spend = (path, body) => open(path, body).catch(error => {
	throw error.fields[0]?.pointer === '/token' ? new Error(t('session.dead')) : error
})

// Sends what was typed to where a mail with a link comes from.
const linkForm = (path, fields, submit, more) => form({
	fields,
	submit,
	onSubmit: async (values, node) => {
		await open(path, {...values, ...more})
		done(node, t('session.checkInbox'), t('session.linkSent', values))
	}
})

export const signUpPage = () => gate(t('session.signUp'),
	linkForm('/v1/accounts', [nameField(), emailField()], t('session.signUp'), {locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone}),
	toLogIn())

export const forgotPage = () => gate(t('password.forgot'), linkForm('/v1/password/forgot', [emailField()], t('password.sendLink')), toLogIn())

const choosePassword = ({query}, path, name, ...again) => {
	const token = query.get('token')
	const onSubmit = async values => {
		await spend(path, {token, ...values})
		leave('#/login?ready')
	}
	const ask = token ? form({fields: [newPassword({name})], submit: t('form.save'), onSubmit}) : h('p.form-error', {role: 'alert'}, t('session.dead'))
	return gate(t('session.verify'), ask, aside(...again))
}

export const verifyPage = at => choosePassword(at, '/v1/accounts/verify', 'password', '#/sign-up', t('session.signUp'))

export const resetPage = at => choosePassword(at, '/v1/password/reset', 'new', '#/forgot', t('password.sendLink'))

export const emailPage = ({query}) => gate(t('email.change'), form({
	fields: [],
	submit: t('email.confirm'),
	onSubmit: async (_, node) => {
		const {changed} = await spend('/v1/email/confirm', {token: query.get('token') ?? ''})
		done(node, t('email.change'), t(changed ? 'email.changed' : 'email.next'))
	}
}))

export const changeEmail = factor => proofForm(factor, {
	path: '/v1/me/email',
	fields: [emailField({label: t('email.newAddress'), autocomplete: 'email'})],
	submit: t('email.change'),
	then: () => notice(t('email.asked'))
})

export const changePassword = (factor, draw) => proofForm(factor, {
	method: 'PUT',
	path: '/v1/me/password',
	password: passwordField({name: 'current', label: t('password.current')}),
	after: [newPassword()],
	submit: t('form.save'),
	then: () => draw().then(() => notice(t('password.changed')))
})

export function data(factor) {
	const download = async () => {
		const text = JSON.stringify(await get('/v1/me/export'), null, 2)
		const href = URL.createObjectURL(new Blob([text], {type: 'application/json'}))
		h('a', {href, download: 'baton.json'}).click()
	}
	return [
		h('div.actions', button(t('account.export'), download)),
		h('h2', t('account.delete')),
		h('p.hint', t('account.deleteText')),
		proofForm(factor, {method: 'DELETE', path: '/v1/me', submit: t('account.delete'), sure: t('app.sure'), then: () => leave()})
	]
}
