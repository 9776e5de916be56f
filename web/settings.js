import { changeEmail, data } from './account.js';
import * as api from './api.js';
import { button, fold, h, notice } from './dom.js';
import { field, form } from './form.js';
import { locale, t } from './i18n.js';
import { changePassword } from './password.js';
import { nameField } from './proof.js';
import { secondFactor } from './second-factor.js';
import * as session from './session.js';
import { events, sessions } from './sessions.js';
import { tokens } from './tokens.js';

/** My name, my language and time zone, when which changes are mailed to me, and below what keeps the account mine. */
export async function settingsPage() {
	const [me, factor] = await Promise.all([api.get('/v1/me'), api.get('/v1/me/second-factor')]);
	session.setMe(me);
	const { quiet_hours: quiet, ...notify } = me.notify;
	const redraw = () => dispatchEvent(new Event('hashchange'));
	const choice = (name, value, options, more) => field({ name, label: t(`settings.${name.split('/').pop()}`), kind: 'select', value, options, ...more });
	const time = (name) => choice(`notify/quiet_hours/${name}`, quiet?.[name], [], { kind: 'time' });
	const zones = [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])];
	const when = ['now', 'digest', 'none'].map((it) => [it, t(`settings.${it}`)]);
	const hours = Array.from({ length: 24 }, (_, it) => [String(it), `${it}:00`]);
	const profile = [
		nameField({ value: me.name }),
		choice('locale', me.locale, [['en', 'English'], ['ko', '한국어']]),
		choice('time_zone', me.time_zone, zones.map((it) => [it, it.replaceAll('_', ' ')])),
	];
	const mails = [
		...['assigned', 'status', 'edited', 'deleted'].map((it) => choice(`notify/${it}`, notify[it], when)),
		choice('notify/digest_hour', String(notify.digest_hour), hours, { as: Number }),
	];
	const quietly = [time('from'), time('to'), choice('notify/quiet_hours/urgent', quiet?.urgent ?? true, [], { kind: 'checkbox' })];
	const node = form({
		fields: [...profile, ...mails, ...quietly],
		submit: t('form.save'),
		onSubmit: async (body) => {
			const { from, to } = body.notify.quiet_hours;
			if (!from && !to) body.notify.quiet_hours = null;
			await api.request('PATCH', '/v1/me', { body });
			const before = locale;
			session.setMe(await api.get('/v1/me'));
			if (locale !== before) redraw();
			notice(t('form.saved'));
		},
	});
	const group = (title, fields) => h('fieldset.fields.pairs', h('legend', title), fields.map((it) => it.node));
	node.firstChild.append(group(t('settings.notify'), mails), group(t('settings.quiet'), quietly));
	return {
		title: t('nav.settings'),
		node: h('div.narrow',
			h('h1', t('nav.settings')),
			h('section.card.account', h('div.grow', h('strong', me.name), h('p.hint', me.email)), button(t('session.logOut'), session.logOut)),
			h('section.card', node),
			fold(t('password.change'), (draw) => changePassword(factor, draw)),
			// What the other parts ask for depends on the second factor, so all of it is drawn anew.
			fold(t('factor.title'), () => secondFactor(factor, redraw), t(factor.enabled ? 'factor.on' : 'factor.off')),
			fold(t('sessions.title'), sessions),
			fold(t('tokens.title'), (draw) => tokens(factor, draw)),
			fold(t('email.change'), () => changeEmail(factor)),
			fold(t('event.title'), events),
			fold(t('account.title'), () => data(factor))),
	};
}
