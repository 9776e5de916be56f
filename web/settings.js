import {changeEmail, changePassword, data} from './account.js'
import {get, request} from './api.js'
import {button, focusOn, fold, h, notice, put, t} from './dom.js'
import {field, form} from './form.js'
import {flush} from './outbox.js'
import {events, secondFactor, sessions, tokens} from './security.js'
import {logOut, nameField, setMe} from './session.js'

export async function settingsPage() {
	const me = await get('/v1/me')
	setMe(me)
	const {quiet_hours: quiet, digest_hour, ...notify} = me.notify
	const make = (name, value, more) => field({name, label: t(`settings.${name}`), value, ...more})
	const choice = (name, value, options, more) => make(name, value, {kind: 'select', options, ...more})
	const profile = [
		nameField({value: me.name}),
		choice('locale', me.locale, [['en', 'English'], ['ko', '한국어']]),
		choice('time_zone', me.time_zone, [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])].map(it => [it, it]))
	]
	const mails = [
		...Object.entries(notify).map(([name, value]) => choice(name, value, ['now', 'digest', 'none'].map(it => [it, t(`settings.${it}`)]))),
		choice('digest_hour', `${digest_hour}`, [...Array(24).keys()].map(it => [`${it}`, `${it}:00`]), {as: Number})
	]
	const quietly = [make('from', quiet?.from, {kind: 'time'}), make('to', quiet?.to, {kind: 'time', at: 'quiet_hours'}), make('urgent', quiet?.urgent ?? true, {kind: 'checkbox'})]
	const node = form({
		fields: [...profile, ...mails, ...quietly],
		submit: t('form.save'),
		onSubmit: async ({name, locale: language, time_zone, from, to, urgent, ...choices}) => {
			const body = {name, locale: language, time_zone, notify: {...choices, quiet_hours: from || to ? {from, to, urgent} : null}}
			const now = await request('PATCH', '/v1/me', {body})
			setMe(now)
			if (['name', 'locale', 'time_zone'].some(it => now[it] !== me[it])) dispatchEvent(new Event('hashchange'))
			notice(t('form.saved'))
		}
	})
	const quit = async () => (await flush() || confirm(t('app.leave'))) && logOut()
	const group = (title, fields) => h('fieldset.fields.pairs', h('legend', title), fields.map(it => it.node))
	node.firstChild.append(group(t('settings.notify'), mails), group(t('settings.quiet'), quietly))
	const parts = h('div.form')
	const draw = async () => {
		const factor = await get('/v1/me/second-factor')
		put(parts,
			fold(t('password.change'), again => changePassword(factor, again)),
			fold([t('factor.title'), ' ', h('span.mark', t(factor.enabled ? 'factor.on' : 'factor.off'))], () => secondFactor(factor, draw)),
			fold(t('sessions.title'), sessions),
			fold(t('tokens.title'), again => tokens(factor, again)),
			fold(t('email.change'), () => changeEmail(factor)),
			fold(t('event.title'), events),
			fold(t('account.title'), () => data(factor)))
		focusOn(parts)
	}
	await draw()
	return {
		title: t('nav.settings'),
		node: h('div.narrow',
			h('h1', t('nav.settings')),
			h('section.card.account', h('div', h('strong', me.name), h('p.hint', me.email)), button(t('session.logOut'), quit)),
			h('section.card', node),
			parts)
	}
}
