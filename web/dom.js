// Elements are built here and nowhere else, always from text: nothing a person typed is ever parsed as HTML.

/** An element. `onclick` and the like become listeners, `true` an empty attribute; null, undefined and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  put(element, ...children);
  return element;
}

/** Replaces what an element holds. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((it) => it !== null && it !== undefined && it !== false));
  return element;
}

/** Says something in passing, to eyes and to screen readers. */
export function notice(text) {
  const place = document.getElementById('notice');
  put(place, h('p', {}, text));
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => put(place), 5000);
}

/** Runs what a button does, once at a time; a failure goes to `failed`. */
export function button(label, act, { failed = (error) => notice(error.message), ...attributes } = {}) {
  const element = h('button', {
    type: 'button',
    ...attributes,
    onclick: async () => {
      if (element.disabled) return;
      element.disabled = true;
      try {
        await act();
      } catch (error) {
        failed(error);
      } finally {
        element.disabled = false;
      }
    },
  }, label);
  return element;
}

/** What a list shows when it has nothing. */
export const empty = (title, text, ...actions) => h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), text && h('p', {}, text), actions);

/** A part of a page that is loaded when it is first opened. `load` gets a function that loads it again. */
export function fold(title, load, mark) {
  const place = h('div', { class: 'fold' });
  const draw = async () => {
    try {
      put(place, await load(draw));
    } catch (error) {
      put(place, h('p', { class: 'form-error', role: 'alert' }, error.message));
    }
  };
  return h('details', { class: 'card', ontoggle: (event) => event.target.open && !place.hasChildNodes() && draw() }, h('summary', {}, title, mark && h('span', { class: 'you' }, mark)), place);
}

/** Text that is to be kept somewhere else: a click selects all of it. */
export const copyable = (text) => h('pre', { class: 'copyable', tabindex: 0 }, text);
