import {page} from './api.js'
import {overlay} from './outbox.js'

export const STATUSES = ['waiting', 'in_progress', 'done']
export const PRIORITIES = ['none', 'low', 'medium', 'high', 'urgent']

const at = project => `/projects/${encodeURIComponent(project)}`
const taskAt = ({project, id}) => `${at(project)}/tasks/${encodeURIComponent(id)}`
export const projectPath = id => `/v1${at(id)}`
export const taskPath = task => `/v1${taskAt(task)}`
export const projectHref = (id, view = '') => `#${at(id)}${view && `/${view}`}`
export const taskHref = task => `#${taskAt(task)}`

// As the API lists them.
const age = ({created_at, id}) => created_at.replace('Z', ' ') + id
const urgency = it => STATUSES.indexOf(it.status) + (it.due_on ?? '9999') + age(it)

export class TaskList {
	complete = false
	onchange = () => {}
	loading = null
	#tasks = new Map()
	#cursor
	#shown
	#frame = 0

	constructor(path, query = {}) {
		Object.assign(this, {path, query})
		addEventListener('outbox', this.#answered)
	}

	get tasks() {
		const order = this.query.assignee ? (a, b) => (urgency(a) < urgency(b) ? -1 : 1) : (a, b) => (age(a) < age(b) ? 1 : -1)
		return this.#shown ??= [...this.#tasks.values()].sort(order).map(overlay).filter(Boolean)
	}

	get = id => this.#tasks.get(id)

	async more() {
		if (!this.complete) await (this.loading ??= this.#load().finally(() => {this.loading = null}))
	}

	async rest() {
		while (!this.complete && this.onchange) await this.more()
	}

	take(task) {
		if (this.get(task.id)?.version >= task.version) return
		this.#tasks.set(task.id, task)
		this.#changed()
	}

	drop(id) {
		this.#tasks.delete(id)
		this.#changed()
	}

	close() {
		this.onchange = null
		removeEventListener('outbox', this.#answered)
	}

	async #load() {
		const {items, next_cursor} = await page(this.path, {...this.query, limit: 100, cursor: this.#cursor})
		this.#cursor = next_cursor
		this.complete = next_cursor === null
		for (const it of items) this.take(it)
		this.#changed()
	}

	#answered = ({detail: {id, task, gone}}) => {
		if (gone) this.drop(id)
		if (task && this.get(id)) this.take(task)
		this.#changed()
	}

	// What waits for the next frame is shown now.
	settle() {
		if (!this.#frame) return
		cancelAnimationFrame(this.#frame)
		this.#frame = 0
		this.onchange?.()
	}

	#changed() {
		this.#shown = null
		this.#frame ||= requestAnimationFrame(() => this.settle())
	}
}
