import { page } from './api.js';
import { overlay } from './outbox.js';

export const STATUSES = ['waiting', 'in_progress', 'done'];
export const PRIORITIES = ['none', 'low', 'medium', 'high', 'urgent'];

export const projectPath = (id) => `/v1/projects/${encodeURIComponent(id)}`;
export const taskPath = (task) => `${projectPath(task.project)}/tasks/${encodeURIComponent(task.id)}`;
export const projectHref = (id, view = '') => `#/projects/${encodeURIComponent(id)}${view && `/${view}`}`;
export const taskHref = (task) => `${projectHref(task.project)}/tasks/${encodeURIComponent(task.id)}`;

/** The tasks of one project, newest first, or mine of all, as the server orders them: loaded by and by, shown as the person left them. */
export class TaskList {
	complete = false;
	onchange = () => {};
	/** The page on its way, or null. */
	loading = null;
	#tasks = new Map();
	#gone = new Set();
	#cursor = null;
	#shown = null;
	#frame = null;

	constructor(path, query = {}) {
		this.path = path;
		this.query = query;
		addEventListener('outbox', this.#answered);
	}

	/** What there is to show: with what is pending laid over, without what is being deleted. */
	get tasks() {
		return this.#shown ??= this.#ordered().map(overlay).filter(Boolean);
	}

	/** A task as the server last told of it. */
	get(id) {
		return this.#tasks.get(id);
	}

	/** Loads the next page. */
	more() {
		if (this.complete) return Promise.resolve();
		return this.loading ??= page(this.path, { ...this.query, limit: 100, cursor: this.#cursor }).then(({ items, next_cursor }) => {
			this.#cursor = next_cursor;
			this.complete = next_cursor === null;
			items.forEach((it) => this.#keep(it));
			this.#changed();
		}).finally(() => {
			this.loading = null;
		});
	}

	/** Loads all there is, unless the list is closed before. */
	async rest() {
		while (!this.complete && this.onchange) await this.more();
	}

	/** Takes a version of a task from the server. */
	take(task) {
		if (this.#keep(task)) this.#changed();
	}

	drop(id) {
		this.#gone.add(id);
		if (this.#tasks.delete(id)) this.#changed();
	}

	close() {
		this.onchange = null;
		removeEventListener('outbox', this.#answered);
	}

	#keep(task) {
		if (this.#gone.has(task.id) || this.#tasks.get(task.id)?.version >= task.version) return false;
		this.#tasks.set(task.id, task);
		return true;
	}

	#ordered() {
		const tasks = [...this.#tasks.values()];
		// Ids are made in the order of time: what others create, or change on a page not loaded yet, finds its place.
		return this.query.assignee ? tasks : tasks.sort((a, b) => (a.id < b.id ? 1 : -1));
	}

	#answered = ({ detail: { id, task, gone } }) => {
		if (gone) this.drop(id);
		else if (task && this.#tasks.has(id)) this.take(task);
		this.#changed();
	};

	#changed() {
		this.#shown = null;
		this.#frame ??= requestAnimationFrame(() => {
			this.#frame = null;
			this.onchange?.();
		});
	}
}
