// Outlives a reload, and is sent as nobody else.
import {request} from './api.js'
import {button, copyable, h, notice, put, t} from './dom.js'
import {current as me} from './session.js'
import {taskHref, taskPath} from './tasks.js'

// Null is stored as an empty text or no labels.
const text = value => JSON.stringify(value?.length ? value : null)
export const same = (a, b) => text(a) === text(b)
const any = patch => Object.keys(patch ?? {})[0]

const entries = new Map()
let owner

// A task as it was seen, what edited fields `was` then, the `patch` to send, what is `held` back.
class Entry {
	was = {}
	patch = {}
	// When to delete; 1 once that may have been sent.
	removeAt = 0
	#tries = 0
	#sending
	#timer

	constructor(kept) {Object.assign(this, kept)}

	queue(task, patch) {
		if (!any(this.patch) || task.version < this.task.version) this.task = task
		for (const name in patch) {
			if (!(name in this.patch)) this.was[name] = task[name]
			delete this.held?.patch[name]
			delete this.held?.refused?.wrong[name]
		}
		Object.assign(this.patch, patch)
		this.changed()
		this.send()
	}

	hold(name, why) {
		const {conflict, patch} = {...this.held, ...why}
		this.held = {...(conflict ? {conflict} : why), patch: {...patch, [name]: this.patch[name]}}
		delete this.patch[name]
	}

	changed(detail) {
		const {id} = this.task
		if (!any(this.held?.patch)) this.held = null
		if (!this.removeAt && !this.held && !any(this.patch)) entries.delete(id)
		sessionStorage.setItem(`outbox/${owner}`, JSON.stringify([...entries.values()]))
		draw()
		dispatchEvent(new CustomEvent('outbox', {detail: {id, ...detail}}))
	}

	async send(leaving = false) {
		const {task, removeAt, patch} = this
		const wait = delay => {this.#timer = setTimeout(() => this.send(), delay)}
		clearTimeout(this.#timer)
		if (this.#sending || me()?.id !== owner || !(removeAt || any(patch))) return
		if (removeAt > Date.now() && !leaving) return wait(removeAt - Date.now())
		this.#sending = true
		const body = removeAt ? null : {...patch}
		this.removeAt &&= 1
		const answer = await request(body ? 'PATCH' : 'DELETE', taskPath(task), {version: task.version, body, keepalive: leaving}).catch(error => error)
		const failed = answer instanceof Error
		this.#sending = false
		// Offline, logged out, too often, a fault: that passes.
		this.problem = failed && !/^4(?!01|08|29)/.test(answer.status) ? answer : null
		if (this.problem) {
			wait(1000 * Math.max(Number(answer.retryAfter) || 0, Math.min(15, 2 ** this.#tries++) * (1 + Math.random())))
			return this.changed()
		}
		this.#tries = 0
		const now = failed ? answer.body.current : body && answer
		const gone = failed ? answer.status === 404 : !body
		if (now) this.merge(now, failed ? {} : body)
		else if (body) this.refuse(answer, body)
		else if (gone) Object.assign(this, {removeAt: 0, patch: {}, held: null})
		else this.stay(answer.message)
		this.changed({task: now, gone})
		this.send()
	}

	// Holds what it points to, or all.
	refuse({status, message, fields}, body) {
		const found = Object.fromEntries(fields.map(({pointer, detail}) => [pointer.split('/')[1], detail]))
		const names = Object.keys(body)
		const some = names.filter(it => it in found)
		const wrong = {...this.held?.refused?.wrong, ...found}
		for (const it of some[0] ? some : names) if (same(body[it], this.patch[it])) this.hold(it, {refused: {status, message, wrong}})
	}

	merge(now, saved) {
		const {task, was, patch} = this
		// An answer got lost, or it was another tab.
		const own = now.version <= task.version + (now.updated_by === owner)
		for (const [name, value] of Object.entries(patch)) {
			if (same(value, now[name]) || same(value, saved[name])) delete patch[name]
			else if (!own && !same(was[name], now[name])) this.hold(name, {conflict: now})
			was[name] = now[name]
		}
		this.task = now
		if (this.removeAt && !own) this.stay(t('outbox.kept', now))
	}

	stay(why) {
		this.removeAt = 0
		notice(why)
	}
}

function mine() {
	if (!owner && me()) {
		owner = me().id
		for (const it of JSON.parse(sessionStorage.getItem(`outbox/${owner}`)) ?? []) entries.set(it.task.id, new Entry({...it, removeAt: it.removeAt && 1}))
		setTimeout(sendAll)
	}
	return entries
}

export function edit(task, patch, removeAt = 0) {
	const entry = mine().get(task.id) ?? new Entry({task})
	entries.set(task.id, Object.assign(entry, {removeAt}))
	entry.queue(task, patch)
}

export function resolve(id, patch) {
	const {held, task} = mine().get(id) ?? {}
	if (held) Object.assign(entries.get(id), {held: null}).queue(held.conflict ?? task, patch)
}

export function remove(task) {
	notice(t('task.deleted'), t('outbox.undo'), undo)
	edit(task, {}, Date.now() + 6000)
}

export function undo() {
	const [last] = [...mine().values()].filter(it => it.removeAt > 1).sort((a, b) => b.removeAt - a.removeAt)
	if (last) edit(last.task)
}

export function overlay(task) {
	const {removeAt, patch} = mine().get(task.id) ?? {}
	return removeAt ? null : any(patch) ? {...task, ...patch} : task
}

export function stateOf(id) {
	const {held, problem} = mine().get(id) ?? {}
	return held ?? (problem && {waiting: problem})
}

function draw() {
	const all = me() ? [...entries.values()] : []
	const count = all.filter(it => it.problem).length
	const line = ({task, was, held: {refused, patch}}) => h('div', h('a', {href: taskHref(task)}, was.title ?? task.title), ': ',
		refused ? Object.values(refused.wrong).join(' ') || refused.message : t('conflict.title'), ' ',
		refused?.status === 404 && copyable(Object.values(patch).join('\n')), refused && button(t('task.discard'), () => resolve(task.id)))
	const said = h('div', count > 0 && t('outbox.waiting', {count}), all.filter(it => it.held).map(line))
	const place = document.getElementById('outbox')
	// Put anew, it is read out anew.
	if (!said.isEqualNode(place.firstChild)) put(place, said.firstChild && said)
}

export const flush = () => Promise.all([...entries.values()].map(it => it.send(it.removeAt > 0))).then(() => !entries.size)

function sendAll() {
	mine().forEach(it => it.send())
	draw()
}
mine()
for (const it of ['online', 'signedin', 'count']) addEventListener(it, sendAll)
addEventListener('pagehide', flush)
addEventListener('beforeunload', event => me() && [...mine().values()].some(it => it.problem || !it.removeAt) && event.preventDefault())
