import * as api from './api.js';
import { button, h, notice } from './dom.js';
import { field, form } from './form.js';
import { t } from './i18n.js';
import * as session from './session.js';

const NOTICES = ['assigned', 'status', 'edited', 'deleted'];

/** My name, my language and time zone, and which changes are mailed to me. */
export async function settingsPage() {
  session.setMe(await api.get('/v1/me'));
  const me = session.current();
  const boxes = new Map(NOTICES.map((name) => [name, h('input', { type: 'checkbox', name, checked: me.notify[name] === 'now' })]));
  const zones = [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])].map((it) => [it, it.replaceAll('_', ' ')]);
  const fields = [
    field({ name: 'name', label: t('session.name'), required: true, value: me.name, autocomplete: 'name' }),
    field({ name: 'locale', label: t('settings.locale'), kind: 'select', options: [['en', 'English'], ['ko', '한국어']], value: me.locale, hint: t('settings.localeHint') }),
    field({ name: 'time_zone', label: t('settings.timeZone'), kind: 'select', options: zones, value: me.time_zone }),
  ];
  const notify = h('fieldset', {}, h('legend', {}, t('settings.notify')), NOTICES.map((name) => h('label', { class: 'check' }, boxes.get(name), t(`settings.${name}`))));
  const node = form({
    class: 'stacked',
    fields,
    submit: t('form.save'),
    onSubmit: async (values) => {
      const chosen = Object.fromEntries(NOTICES.map((name) => [name, boxes.get(name).checked ? 'now' : 'none']));
      await api.request('PATCH', '/v1/me', { body: { ...values, notify: chosen } });
      session.setMe(await api.get('/v1/me'));
      notice(t('form.saved'));
    },
  });
  node.querySelector('.fields').append(notify);
  return {
    title: t('nav.settings'),
    node: h('div', { class: 'narrow' },
      h('h1', { tabindex: -1 }, t('nav.settings')),
      h('section', { class: 'card' }, node),
      h('section', { class: 'card account' }, h('div', { class: 'grow' }, h('strong', {}, me.name), h('p', { class: 'hint' }, me.email)), button(t('session.logOut'), session.logOut))),
  };
}
