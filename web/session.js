import * as api from './api.js';
import { h, put } from './dom.js';
import { field, form } from './form.js';
import { locale, t } from './i18n.js';

let me = null;

// Another tab logged out, or in as somebody else: what this one shows is no longer theirs.
const tabs = new BroadcastChannel('baton-session');
tabs.onmessage = ({ data }) => data !== (me?.id ?? null) && location.reload();

/** Who is logged in, or null. Rejects when the API cannot be asked. */
export async function whoAmI() {
  try {
    me ??= await api.get('/v1/me');
  } catch (error) {
    if (!(error instanceof api.SignedOut)) throw error;
    me = null;
  }
  return me;
}

export const current = () => me;

export function setMe(changed) {
  me = changed;
}

export function forget() {
  me = null;
}

export async function logOut() {
  await api.logOut();
  forget();
  tabs.postMessage(null);
  location.assign('#/login');
}

const gate = (...children) => h('div', { class: 'gate' }, h('div', { class: 'gate-brand' }, h('img', { src: 'favicon.svg', alt: '', width: 48, height: 48 }), h('strong', {}, 'Baton'), h('p', {}, t('app.tagline'))), h('section', { class: 'card' }, children));

const emailField = () => field({ name: 'email', label: t('session.email'), kind: 'email', required: true, autocomplete: 'username', inputmode: 'email', spellcheck: 'false', autocapitalize: 'none' });

/** The log-in form; `then` runs with a session. */
export function logInPage({ query }, then) {
  return {
    title: t('session.logIn'),
    node: gate(
      h('h1', { tabindex: -1 }, t('session.logIn')),
      query.has('verified') && h('p', { class: 'good' }, t('session.verified')),
      form({
        fields: [emailField(), field({ name: 'password', label: t('session.password'), kind: 'password', required: true, autocomplete: 'current-password' })],
        submit: t('session.logIn'),
        onSubmit: async ({ email, password }) => {
          try {
            tabs.postMessage((await api.logIn(email, password)).id);
          } catch (error) {
            if (error.status === 401) throw new Error(t('session.wrong'));
            throw error;
          }
          await then();
        },
      }),
      h('p', { class: 'aside' }, t('session.new'), ' ', h('a', { href: '#/sign-up' }, t('session.signUp'))),
    ),
  };
}

export function signUpPage() {
  const place = h('div');
  const ask = () => put(place,
    h('h1', { tabindex: -1 }, t('session.signUpTitle')),
    form({
      fields: [
        field({ name: 'name', label: t('session.name'), required: true, autocomplete: 'name' }),
        emailField(),
      ],
      submit: t('session.signUp'),
      onSubmit: async ({ name, email }) => {
        await api.open('POST', '/v1/accounts', { name, email, locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
        const heading = h('h1', { tabindex: -1 }, t('session.checkInbox'));
        put(place, h('div', { class: 'sent-mark', 'aria-hidden': 'true' }, '✓'), heading, h('p', {}, t('session.linkSent', { email })), h('p', { class: 'aside' }, h('a', { href: '#/login' }, t('session.logIn'))));
        heading.focus();
      },
    }),
    h('p', { class: 'aside' }, t('session.have'), ' ', h('a', { href: '#/login' }, t('session.logIn'))));
  ask();
  return { title: t('session.signUp'), node: gate(place) };
}

export function verifyPage({ query }) {
  const password = field({ name: 'password', label: t('session.password'), kind: 'password', required: true, min: 15, max: 128, autocomplete: 'new-password', hint: t('session.passwordHint') });
  const input = password.node.querySelector('input');
  const shown = h('input', {
    type: 'checkbox',
    onchange: () => {
      input.type = shown.checked ? 'text' : 'password';
    },
  });
  password.node.append(h('label', { class: 'check' }, shown, t('session.showPassword')));
  const token = query.get('token');
  const dead = h('p', { class: 'aside' }, t('session.deadLink'), ' ', h('a', { href: '#/sign-up' }, t('session.signUp')));
  if (!token) return { title: t('session.verify'), node: gate(h('h1', { tabindex: -1 }, t('session.verify')), dead) };
  return {
    title: t('session.verify'),
    node: gate(
      h('h1', { tabindex: -1 }, t('session.verify')),
      h('p', {}, t('session.verifyText')),
      form({
        fields: [password],
        submit: t('session.verifySubmit'),
        onSubmit: async () => {
          try {
            // Read as typed: a space belongs to a password.
            await api.open('POST', '/v1/accounts/verify', { token, password: input.value });
          } catch (error) {
            const aboutPassword = error.fields?.some((it) => it.pointer?.includes('password'));
            if ([400, 404, 409, 410, 422].includes(error.status) && !aboutPassword) throw new Error(t('session.deadLinkShort'));
            throw error;
          }
          // Replaces, so that the token does not stay in the history.
          location.replace('#/login?verified=1');
        },
      }),
      dead,
    ),
  };
}
