// What the person did and the server has not answered: a reload loses nothing of it, and it is never sent as somebody else's.
import { request } from './api.js';
import { button, copyable, h, notice, put } from './dom.js';
import { locale, t } from './i18n.js';
import { current as me } from './session.js';
import { taskHref, taskPath } from './tasks.js';

const UNDO = 6000;
const PASSING = ['sending', 'timer', 'tries', 'problem', 'shown'];
const HELD = ['conflict', 'refused'];

// An empty text and no labels are what null is stored as.
const stored = (value) => JSON.stringify(value?.length ? value : null);
const same = (a, b) => stored(a) === stored(b);
const some = (patch) => Object.keys(patch).length > 0;

// By task: the `task` as it was seen, what the edited fields `was` then, the `patch` to send, what was last `sent` of it, when the task
// is to be deleted (`removeAt`), and apart from these the fields in `conflict` and those `refused`.
let entries = new Map();
let owner;
let said;

const key = () => `outbox/${owner}`;
const make = (entry) => ({ was: {}, patch: {}, sent: {}, tries: 0, shown: new WeakMap(), ...entry });

function mine() {
	const id = me()?.id;
	if (id && id !== owner) {
		owner = id;
		entries = new Map((JSON.parse(sessionStorage.getItem(key())) ?? []).map((it) => [it.task.id, make(it)]));
		entries.forEach((it) => wait(it, 0));
	}
	return entries;
}

const entryOf = (task) => mine().get(task.id) ?? entries.set(task.id, make({ task })).get(task.id);

function changed(entry, detail) {
	const { id } = entry.task;
	if (!entry.removeAt && !some(entry.patch) && !HELD.some((it) => entry[it])) entries.delete(id);
	entry.shown = new WeakMap();
	sessionStorage.setItem(key(), JSON.stringify([...entries.values()], (name, value) => (PASSING.includes(name) ? undefined : value)));
	draw();
	dispatchEvent(new CustomEvent('outbox', { detail: { id, ...detail } }));
}

function wait(entry, delay) {
	clearTimeout(entry.timer);
	entry.timer = setTimeout(send, delay, entry);
}

async function send(entry) {
	const { task, removeAt, patch } = entry;
	const isMine = () => entries.get(task.id) === entry && me()?.id === owner;
	if (entry.sending || !isMine() || (!removeAt && !some(patch))) return;
	if (removeAt > Date.now()) return wait(entry, removeAt - Date.now());
	clearTimeout(entry.timer);
	const body = removeAt ? undefined : { ...patch };
	entry.sent = { ...body };
	entry.sending = removeAt ? 'DELETE' : 'PATCH';
	let answer;
	let problem;
	try {
		answer = (await request(entry.sending, taskPath(task), { version: task.version, body, keepalive: !body })).body;
	} catch (error) {
		problem = error;
	}
	entry.sending = null;
	if (!isMine()) return;
	entry.problem = null;
	const { status, retryAfter, body: { current } = {} } = problem ?? {};
	const gone = status === 404 || (answer && !body);
	if (problem && (!(status >= 400 && status < 500) || [401, 408, 429].includes(status))) {
		entry.problem = problem;
		wait(entry, 1000 * Math.max(Number(retryAfter) || 0, Math.min(15, 2 ** entry.tries++) * (1 + Math.random())));
		return changed(entry);
	}
	entry.tries = 0;
	if (gone && !body) Object.assign(entry, { removeAt: 0, patch: {}, conflict: null, refused: null });
	else if (answer) {
		for (const name in body) if (same(patch[name], body[name])) delete patch[name];
		merge(entry, answer);
	} else if (current) {
		if (entry.removeAt && current.updated_by !== owner) keep(entry, t('outbox.kept', current));
		merge(entry, current);
	} else if (body) refuse(entry, problem);
	else keep(entry, problem.message);
	changed(entry, { task: current ?? answer, gone });
	send(entry);
}

function keep(entry, why) {
	entry.removeAt = 0;
	notice(why);
}

/** Holds what the person did against what others did, field by field: only where both changed the same one there is a conflict. */
function merge(entry, now) {
	const { patch, was, sent } = entry;
	for (const [name, value] of Object.entries(patch)) {
		// After a lost answer, what is there now may well be what was sent.
		const isTheirs = ![was, sent, patch].some((it) => name in it && same(it[name], now[name]));
		if (isTheirs) entry.conflict = { patch: { ...entry.conflict?.patch, [name]: value } };
		if (isTheirs || same(value, now[name])) delete patch[name];
		was[name] = now[name];
	}
	entry.task = now;
	if (entry.conflict) entry.conflict.current = now;
}

/** Sets aside the fields a refusal points to, or all that was sent; the others are sent again without them. */
function refuse(entry, { status, message, fields }) {
	const names = Object.keys(entry.sent).filter((it) => it in entry.patch && same(entry.patch[it], entry.sent[it]));
	const named = names.filter((it) => fields.some(({ pointer }) => pointer.split('/')[1] === it));
	entry.refused = { status, message, fields, patch: entry.refused?.patch ?? {} };
	for (const name of named.length > 0 ? named : names) {
		entry.refused.patch[name] = entry.patch[name];
		delete entry.patch[name];
	}
}

function queue(entry, task, patch) {
	if ((!entry.sending && !some(entry.patch)) || task.version < entry.task.version) entry.task = task;
	for (const [name, value] of Object.entries(patch)) {
		const { conflict } = entry;
		// Edited further where mine was shown, it is still to be decided on.
		if (conflict && name in conflict.patch && same(task[name], conflict.patch[name])) {
			conflict.patch[name] = value;
			continue;
		}
		if (!(name in entry.patch)) entry.was[name] = task[name];
		entry.patch[name] = value;
		for (const kind of HELD) {
			delete entry[kind]?.patch[name];
			if (entry[kind] && !some(entry[kind].patch)) entry[kind] = null;
		}
	}
	changed(entry);
	send(entry);
}

/** Shows an edit at once, and sends it on the version the person saw. */
export const edit = (task, patch) => queue(entryOf(task), task, patch);

/** Sends this patch in place of what is in conflict or refused, on the version shown there, or lets go of it. */
export function resolve(id, patch) {
	const entry = mine().get(id);
	if (!entry) return;
	const task = entry.conflict?.current ?? entry.task;
	entry[entry.conflict ? 'conflict' : 'refused'] = null;
	queue(entry, task, patch ?? {});
}

/** Hides a task; it is deleted when it can no longer be undone. */
export function remove(task) {
	const entry = entryOf(task);
	if (!some(entry.patch)) entry.task = task;
	entry.removeAt = Date.now() + UNDO;
	notice(t('task.deleted'), t('outbox.undo'), undo);
	changed(entry);
	send(entry);
}

/** Brings back what was removed last, if that has not been sent. */
export function undo() {
	const entry = [...mine().values()].filter((it) => it.removeAt && it.sending !== 'DELETE').sort((a, b) => b.removeAt - a.removeAt)[0];
	if (!entry) return false;
	entry.removeAt = 0;
	changed(entry);
	send(entry);
	return true;
}

/** A task as the person left it; null while it is being deleted. */
export function overlay(task) {
	const entry = mine().get(task.id);
	if (entry?.removeAt) return null;
	if (!entry || !some(entry.patch)) return task;
	if (!entry.shown.has(task)) entry.shown.set(task, { ...task, ...entry.patch });
	return entry.shown.get(task);
}

/** How it stands with a task's edits: in conflict, refused, waiting, being sent, or undefined when there are none. */
export function stateOf(id) {
	const { conflict, refused, problem, patch } = mine().get(id) ?? {};
	if (conflict) return { conflict: conflict.current, patch: conflict.patch };
	if (refused) return { refused, patch: refused.patch };
	return patch && (problem ? { waiting: problem } : { sending: true });
}

const isHeld = (entry) => HELD.some((it) => entry[it]);

function draw() {
	const all = [...entries.values()];
	const count = all.filter((it) => it.problem).length;
	const now = JSON.stringify([locale, count, all.map(({ task, conflict, refused }) => [task.title, conflict?.patch, refused])]);
	// What is drawn anew is read out anew.
	if (now === said) return;
	said = now;
	put(document.getElementById('outbox'),
		count > 0 && h('p', t('outbox.waiting', { count })),
		all.filter(isHeld).map(({ task, conflict, refused }) => (refused?.status === 404
			? [h('p', t('outbox.gone', task), ' ', button(t('task.discard'), () => resolve(task.id, null))), copyable(Object.values(refused.patch).join('\n'))]
			: h('p', h('a', { href: taskHref(task) }, task.title), ': ', conflict ? t('conflict.title') : refused.message))));
}

const sendAll = () => mine().forEach(send);
sendAll();
addEventListener('online', sendAll);
addEventListener('signedin', sendAll);
addEventListener('pagehide', () => mine().forEach((it) => it.removeAt && send(Object.assign(it, { removeAt: 1 }))));
addEventListener('beforeunload', (event) => [...mine().values()].some((it) => it.problem || isHeld(it) || (some(it.patch) && !it.removeAt)) && event.preventDefault());
