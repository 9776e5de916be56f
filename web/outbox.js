// What the person did and the server has not answered: a reload loses nothing of it, and it is never sent as somebody else's.
import { request } from './api.js';
import { button, copyable, h, notice, put } from './dom.js';
import { locale, t } from './i18n.js';
import { current as me } from './session.js';
import { taskHref, taskPath } from './tasks.js';

// An empty text and no labels are what null is stored as.
const stored = (value) => JSON.stringify(value?.length ? value : null);
export const same = (a, b) => stored(a) === stored(b);
const some = (patch = {}) => Object.keys(patch).length > 0;

let entries = new Map();
let owner;
let said;

/** Of one task: how it was seen, what the edited fields `was` then, the `patch` to send, and fields `held`, in conflict or refused. */
class Entry {
	was = {};
	patch = {};
	// When it is to be deleted; 1 once that may have been sent.
	removeAt = 0;
	#tries = 0;
	#sending = false;
	#timer;

	constructor(kept) {
		Object.assign(this, kept);
	}

	queue(task, patch) {
		if (!some(this.patch) || task.version < this.task.version) this.task = task;
		for (const name in patch) {
			if (!(name in this.patch)) this.was[name] = task[name];
			delete this.held?.patch[name];
		}
		Object.assign(this.patch, patch);
		this.changed();
		this.send();
	}

	hold(name, why) {
		this.held = { ...why, patch: { ...this.held?.patch, [name]: this.patch[name] } };
		delete this.patch[name];
	}

	changed(detail) {
		const { id } = this.task;
		if (!some(this.held?.patch)) this.held = null;
		if (!this.removeAt && !this.held && !some(this.patch)) entries.delete(id);
		sessionStorage.setItem(`outbox/${owner}`, JSON.stringify([...entries.values()]));
		draw();
		dispatchEvent(new CustomEvent('outbox', { detail: { id, ...detail } }));
	}

	wait(delay) {
		this.#timer = setTimeout(() => this.send(), delay);
	}

	async send(leaving = false) {
		const { task, removeAt, patch } = this;
		const isOpen = () => entries.get(task.id) === this && me()?.id === owner;
		clearTimeout(this.#timer);
		if (this.#sending || !isOpen() || !(removeAt || some(patch))) return;
		if (removeAt > Date.now() && !leaving) return this.wait(removeAt - Date.now());
		const body = removeAt ? undefined : { ...patch };
		this.removeAt &&= 1;
		this.#sending = true;
		let answer;
		let problem = null;
		try {
			answer = await request(body ? 'PATCH' : 'DELETE', taskPath(task), { version: task.version, body, keepalive: leaving });
		} catch (error) {
			problem = error;
		}
		this.#sending = false;
		if (!isOpen()) return;
		const status = problem?.status;
		// Out of reach, logged out, too often, a fault: that passes.
		if (problem && !/^4(?!01|08|29)/.test(status)) {
			this.problem = problem;
			this.wait(1000 * Math.max(Number(problem.retryAfter) || 0, Math.min(15, 2 ** this.#tries++) * (1 + Math.random())));
			return this.changed();
		}
		this.problem = null;
		this.#tries = 0;
		const now = problem ? problem.body.current : answer.body;
		const gone = status === 404 || !(problem || body);
		if (gone && !body) Object.assign(this, { removeAt: 0, patch: {}, held: null });
		else if (now) {
			if (!problem) for (const name in body) if (same(patch[name], body[name])) delete patch[name];
			if (!this.merge(now) && this.removeAt) this.stay(t('outbox.kept', now));
		} else if (body) this.refuse(problem, body);
		else this.stay(problem.message);
		this.changed({ task: gone ? undefined : now, gone });
		this.send();
	}

	stay(why) {
		this.removeAt = 0;
		notice(why);
	}

	// Only where somebody else changed the same field there is a conflict.
	merge(now) {
		// What was changed once since, by the person: an answer got lost, or it was another tab.
		const own = now.updated_by === owner && now.version <= this.task.version + 1;
		for (const [name, value] of Object.entries(this.patch)) {
			if (same(value, now[name])) delete this.patch[name];
			else if (!own && !same(this.was[name], now[name])) this.hold(name, { conflict: now });
			this.was[name] = now[name];
		}
		this.task = now;
		return own;
	}

	// What a refusal points to is set aside, and the rest sent without it.
	refuse({ status, message, fields }, body) {
		const names = Object.keys(body);
		const named = names.filter((it) => fields.some(({ pointer }) => pointer.split('/')[1] === it));
		for (const it of named.length > 0 ? named : names) if (same(body[it], this.patch[it])) this.hold(it, { refused: { status, message, fields } });
	}
}

function mine() {
	const id = me()?.id;
	if (id && id !== owner) {
		owner = id;
		entries = new Map((JSON.parse(sessionStorage.getItem(`outbox/${id}`)) ?? []).map((it) => [it.task.id, new Entry(it)]));
		setTimeout(sendAll);
	}
	return entries;
}

const entryOf = (task) => mine().get(task.id) ?? entries.set(task.id, new Entry({ task })).get(task.id);

/** Shows an edit at once, and sends it on the version the person saw. */
export const edit = (task, patch) => entryOf(task).queue(task, patch);

/** Sends this in place of what is in conflict or refused, on the version shown there; null lets go of it. */
export function resolve(id, patch) {
	const entry = mine().get(id);
	const task = entry?.held?.conflict ?? entry?.task;
	if (!task) return;
	entry.held = null;
	entry.queue(task, patch);
}

/** Hides a task, and deletes it when that can no longer be undone. */
export function remove(task) {
	const entry = entryOf(task);
	entry.removeAt = Date.now() + 6000;
	notice(t('task.deleted'), t('outbox.undo'), undo);
	entry.queue(task);
}

/** Brings back what was removed last, unless that was sent. */
export function undo() {
	const [entry] = [...mine().values()].filter((it) => it.removeAt > 1).sort((a, b) => b.removeAt - a.removeAt);
	if (!entry) return false;
	entry.removeAt = 0;
	entry.queue(entry.task);
	return true;
}

/** A task as the person left it; null while it is being deleted. */
export function overlay(task) {
	const { removeAt, patch } = mine().get(task.id) ?? {};
	return removeAt ? null : some(patch) ? { ...task, ...patch } : task;
}

/** `{ conflict, patch }`, `{ refused, patch }`, `{ waiting }`, `{ sending }`, or undefined when all is saved. */
export function stateOf(id) {
	const entry = mine().get(id);
	return entry && (entry.held ?? (entry.problem ? { waiting: entry.problem } : { sending: true }));
}

function draw() {
	const all = [...entries.values()];
	const count = all.filter((it) => it.problem).length;
	const held = all.filter((it) => it.held);
	const now = JSON.stringify([locale, count, held]);
	// What is drawn anew is read out anew.
	if (now === said) return;
	said = now;
	put(document.getElementById('outbox'), count > 0 && h('p', t('outbox.waiting', { count })), held.map(({ task, held: { refused, patch } }) =>
		h('div', h('a', { href: taskHref(task) }, task.title), ': ', refused?.message ?? t('conflict.title'),
			// There is no page any more to show it.
			refused?.status === 404 && [copyable(Object.values(patch).join('\n')), button(t('task.discard'), () => resolve(task.id))])));
}

const sendAll = () => mine().forEach((it) => it.send());
sendAll();
for (const it of ['online', 'signedin']) addEventListener(it, sendAll);
addEventListener('pagehide', () => mine().forEach((it) => it.removeAt && it.send(true)));
addEventListener('beforeunload', (event) => [...mine().values()].some((it) => it.held || it.problem || !it.removeAt) && event.preventDefault());
