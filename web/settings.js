import * as account from './account.js';
import * as api from './api.js';
import { button, fold, h, notice } from './dom.js';
import { changeEmail } from './email.js';
import { events } from './events.js';
import { field, form } from './form.js';
import { t } from './i18n.js';
import { changePassword } from './password.js';
import { secondFactor } from './second-factor.js';
import * as session from './session.js';
import { sessions } from './sessions.js';
import { tokens } from './tokens.js';

const NOTICES = ['assigned', 'status', 'edited', 'deleted'];

/** My name, my language and time zone, which changes are mailed to me, and below what keeps the account mine. */
export async function settingsPage() {
	const [loaded, factor] = await Promise.all([api.get('/v1/me'), api.get('/v1/me/second-factor')]);
	session.setMe(loaded);
	const me = session.current();
	const choices = ['now', 'digest', 'none'].map((it) => [it, t(`settings.${it}`)]);
	const notices = NOTICES.map((name) => field({ name, label: t(`settings.${name}`), kind: 'select', options: choices, value: me.notify[name] }));
	const zones = [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])].map((it) => [it, it.replaceAll('_', ' ')]);
	const fields = [
		field({ name: 'name', label: t('session.name'), required: true, value: me.name, autocomplete: 'name' }),
		field({ name: 'locale', label: t('settings.locale'), kind: 'select', options: [['en', 'English'], ['ko', '한국어']], value: me.locale, hint: t('settings.localeHint') }),
		field({ name: 'time_zone', label: t('settings.timeZone'), kind: 'select', options: zones, value: me.time_zone }),
	];
	const node = form({
		fields: [...fields, ...notices],
		submit: t('form.save'),
		onSubmit: async ({ name, locale, time_zone, ...notify }) => {
			await api.request('PATCH', '/v1/me', { body: { name, locale, time_zone, notify } });
			session.setMe(await api.get('/v1/me'));
			notice(t('form.saved'));
		},
	});
	node.querySelector('.fields').append(h('fieldset.fields', h('legend', t('settings.notify')), notices.map((it) => it.node)));
	// What other parts of the page ask for depends on the second factor, so all of it is drawn anew.
	const factorChanged = () => dispatchEvent(new Event('hashchange'));
	return {
		title: t('nav.settings'),
		node: h('div.narrow',
			h('h1', { tabindex: -1 }, t('nav.settings')),
			h('section.card.account', h('div.grow', h('strong', me.name), h('p.hint', me.email)), button(t('session.logOut'), session.logOut)),
			h('section.card', node),
			fold(t('password.change'), (draw) => changePassword(factor, draw)),
			fold(t('factor.title'), () => secondFactor(factor, factorChanged), t(factor.enabled ? 'factor.on' : 'factor.off')),
			fold(t('sessions.title'), sessions),
			fold(t('tokens.title'), (draw) => tokens(factor, draw)),
			fold(t('email.change'), () => changeEmail(factor)),
			fold(t('event.title'), events),
			fold(t('account.title'), () => account.data(factor))),
	};
}
