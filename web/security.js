import {all, get, page, request} from './api.js'
import {button, copyable, focusOn, h, paged, put, row, t} from './dom.js'
import {field, form, removal} from './form.js'
import {ago, timeText} from './i18n.js'
import {codeField, nameField, newPassword, proofForm} from './session.js'

const FACTOR = '/v1/me/second-factor'
const SESSIONS = '/v1/me/sessions'
const TOKENS = '/v1/me/tokens'

function showOnce(place, title, text, then) {
	put(place, h('h2', title), h('p', t('factor.once')), copyable(text), button(t('factor.kept'), then))
	focusOn(place.firstChild)
}

export function secondFactor(factor, changed) {
	const place = h('div.form')
	const showCodes = ({recovery_codes}) => showOnce(place, t('factor.codes'), recovery_codes.join('\n'), changed)
	const enrol = ({otpauth_uri, secret}) => {
		const code = codeField()
		put(place, h('a', {href: otpauth_uri}, t('factor.add')), copyable(secret.match(/.{1,4}/g).join(' ')), form({
			fields: [code],
			submit: t('email.confirm'),
			onSubmit: body => request('POST', `${FACTOR}/confirm`, {body}).then(showCodes)
		}))
		code.focus()
	}
	const ask = (title, then, more) => [h('h2', title), proofForm(factor, {path: FACTOR, submit: title, then, ...more})]
	if (!factor.enabled) return put(place, ask(t('factor.switchOn'), enrol))
	const {since, recovery_codes_left: left} = factor
	return put(place, h('p', t('factor.since', {since: timeText(since), left})),
		ask(t('factor.renew'), showCodes, {path: `${FACTOR}/recovery-codes`}),
		ask(t('factor.switchOff'), changed, {method: 'DELETE', after: [newPassword({name: 'new_password', hint: t('factor.newPassword')})]}))
}

const whence = ({device, network_address}) => [device?.replace(' on ', ' · ') ?? t('sessions.unknown'), network_address].filter(Boolean).join(' · ')

export async function sessions(draw) {
	const one = it => row([whence(it), it.current && [' ', h('span.mark', t('sessions.current'))]],
		t('sessions.times', {since: timeText(it.created_at), used: ago(it.last_used_at)}),
		!it.current && removal('sessions.end', whence(it), `${SESSIONS}/${it.id}`, draw))
	return [h('ul.rows', (await get(SESSIONS)).items.map(one)), h('div.actions', button(t('sessions.endOthers'), () => request('DELETE', SESSIONS).then(draw)))]
}

export const events = () => paged(h('ul.rows'), cursor => page('/v1/me/events', {limit: 20, cursor}),
	it => row([t(`event.${it.kind}`), it.name && `: ${it.name}`], `${timeText(it.at)} · ${whence(it)}`))

export async function tokens(factor, draw) {
	const [{items}, projects] = await Promise.all([get(TOKENS), all('/v1/projects')])
	const facts = it => [
		t(`tokens.${it.access}`),
		it.projects?.map(id => projects.find(project => project.id === id)?.name ?? t('failure.gone')).join(', ') ?? t('tokens.everywhere'),
		t('tokens.until', {when: timeText(it.expires_at)}),
		it.last_used_at ? t('tokens.used', {when: ago(it.last_used_at)}) : t('tokens.unused')
	].join(' · ')
	const choice = (name, label, options, as) => field({name, label: t(label), kind: 'select', options, value: options[0][0], as})
	return [
		h('ul.rows', items.map(it => row(h('strong', it.name), facts(it), removal('tokens.revoke', it.name, `${TOKENS}/${it.id}`, draw)))),
		h('h2', t('tokens.make')),
		h('div.form', proofForm(factor, {
			path: TOKENS,
			fields: [
				nameField({autocomplete: 'off'}),
				choice('access', 'tokens.access', ['read', 'write'].map(it => [it, t(`tokens.${it}`)])),
				choice('projects', 'nav.projects', [['', t('tokens.everywhere')], ...projects.map(it => [it.id, it.name])], it => it && [it]),
				choice('expires_at', 'tokens.life', [30, 7, 90, 365].map(days => [days, t('tokens.days', {days})]),
					days => new Date(Date.now() + days * 86_400_000).toISOString())
			],
			submit: t('tokens.make'),
			then: ({token}, node) => showOnce(node.parentNode, t('tokens.title'), token, draw)
		}))
	]
}
