import {get, open} from './api.js'
import {button, failure, focusOn, h, notice, put, t} from './dom.js'
import {form} from './form.js'
import {locale} from './i18n.js'
import {aside, emailField, gate, leave, nameField, newPassword, passwordField, proofForm} from './session.js'

const toLogIn = () => aside('#/login', t('session.logIn'))

function done(form, title, text) {
	const heading = h('h1', title)
	put(form.closest('.card'), heading, h('p', text), toLogIn())
	focusOn(heading)
}

const spend = (path, body) => open(path, body).catch(error => {
	throw error.fields[0]?.pointer === '/token' ? new Error(t('session.dead')) : error
})

const linkPage = (title, path, fields, submit, more) => gate(t(title), form({
	fields,
	submit: t(submit),
	onSubmit: async (values, node) => {
		await open(path, {...values, ...more})
		done(node, t('session.checkInbox'), t('session.linkSent', values))
	}
}), toLogIn())

export const signUpPage = () => linkPage('session.signUp', '/v1/accounts', [nameField(), emailField()], 'session.signUp',
	{locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone})

export const forgotPage = () => linkPage('password.forgot', '/v1/password/forgot', [emailField()], 'password.sendLink')

const choosePassword = ({query}, path, name, ...again) => {
	const token = query.get('token')
	const onSubmit = values => spend(path, {token, ...values}).then(() => leave('#/login?ready'))
	const ask = token ? form({fields: [newPassword({name})], submit: t('form.save'), onSubmit}) : failure(t('session.dead'))
	return gate(t('session.verify'), ask, aside(...again))
}

export const verifyPage = at => choosePassword(at, '/v1/accounts/verify', 'password', '#/sign-up', t('session.signUp'))

export const resetPage = at => choosePassword(at, '/v1/password/reset', 'new', '#/forgot', t('password.sendLink'))

// It takes a click: mail filters follow links.
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
		const href = URL.createObjectURL(new Blob([JSON.stringify(await get('/v1/me/export'), null, 2)], {type: 'application/json'}))
		h('a', {href, download: 'baton.json'}).click()
	}
	return [
		h('div.actions', button(t('account.export'), download)),
		h('h2', t('account.delete')),
		h('p.hint', t('account.deleteText')),
		proofForm(factor, {method: 'DELETE', path: '/v1/me', submit: t('account.delete'), sure: t('app.sure'), then: () => leave()})
	]
}
