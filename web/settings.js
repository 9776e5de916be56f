import { changeEmail, changePassword, data } from './account.js';
import { get, request } from './api.js';
import { button, fold, h, notice, t } from './dom.js';
import { field, form } from './form.js';
import { nameField } from './gate.js';
import { locale } from './i18n.js';
import { events, secondFactor, sessions, tokens } from './security.js';
import { logOut, setMe } from './session.js';

export async function settingsPage() {
	const [me, factor] = await Promise.all([get('/v1/me'), get('/v1/me/second-factor')]);
	setMe(me);
	const { quiet_hours: quiet, ...notify } = me.notify;
	const redraw = () => dispatchEvent(new Event('hashchange'));
	const make = (name, value, more) => field({ name, label: t(`settings.${name.split('/').pop()}`), value, ...more });
	const choice = (name, value, options, as) => make(name, value, { kind: 'select', options, as });
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
		choice('notify/digest_hour', String(notify.digest_hour), hours, Number),
	];
	const quietly = [
		...['from', 'to'].map((it) => make(`notify/quiet_hours/${it}`, quiet?.[it], { kind: 'time' })),
		make('notify/quiet_hours/urgent', quiet?.urgent ?? true, { kind: 'checkbox' }),
	];
	const node = form({
		fields: [...profile, ...mails, ...quietly],
		submit: t('form.save'),
		onSubmit: async (body) => {
			const { from, to } = body.notify.quiet_hours;
			if (!from && !to) body.notify.quiet_hours = null;
			const before = locale;
			setMe((await request('PATCH', '/v1/me', { body })).body);
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
			h('section.card.account', h('div', h('strong', me.name), h('p.hint', me.email)), button(t('session.logOut'), logOut)),
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
