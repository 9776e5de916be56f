import * as api from './api.js';
import { h, notice } from './dom.js';
import { field, form } from './form.js';
import { aside, done, emailField, gate, spend, title } from './gate.js';
import { t } from './i18n.js';
import { proofFields } from './proof.js';

/** A password to be chosen, which can be looked at. Whoever has a second factor may choose a shorter one. */
export function newPassword({ name = 'new', label = t('password.new'), min = 15, hint = t('password.hint', { min }), ...attributes } = {}) {
  const password = field({ name, label, kind: 'password', required: true, min, max: 128, autocomplete: 'new-password', hint, ...attributes });
  const input = password.node.querySelector('input');
  const shown = h('input', {
    type: 'checkbox',
    onchange: () => {
      input.type = shown.checked ? 'text' : 'password';
    },
  });
  password.node.append(h('label', { class: 'check' }, shown, t('password.show')));
  return password;
}

/** Asks for a link to a new password. The answer is the same whether the address has an account or not. */
export function forgotPage() {
  const place = h('div', {}, title(t('password.forgot')), form({
    fields: [emailField()],
    submit: t('password.sendLink'),
    onSubmit: async ({ email }) => {
      await api.open('POST', '/v1/password/forgot', { email });
      done(place, t('session.checkInbox'), t('password.forgotSent', { email }));
    },
  }), aside('', '#/login', t('session.logIn')));
  return { title: t('password.forgot'), node: gate(place) };
}

/** Where the link of a reset leads. */
export function resetPage({ query }) {
  const token = query.get('token');
  const heading = title(t('session.verify'));
  return {
    title: t('session.verify'),
    node: gate(
      heading,
      token && h('p', {}, t('password.resetText')),
      token && form({
        fields: [newPassword({ min: 8, hint: t('password.hint', { min: 15 }) })],
        submit: t('form.save'),
        onSubmit: async (values) => {
          await spend('/v1/password/reset', { token, ...values });
          // Replaces, so that the token does not stay in the history.
          location.replace('#/login?reset=1');
        },
      }),
      aside(t('session.isDead'), '#/forgot', t('password.sendLink')),
    ),
  };
}

/** In the settings. */
export function changePassword(factor) {
  const change = form({
    fields: [...proofFields(factor, { name: 'current', label: t('password.current') }), newPassword({ min: factor.enabled ? 8 : 15 })],
    submit: t('form.save'),
    onSubmit: async (values) => {
      await api.request('PUT', '/v1/me/password', { body: values });
      change.reset();
      notice(t('password.changed'));
    },
  });
  return change;
}
