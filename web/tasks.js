import { page } from './api.js';
import { overlay } from './outbox.js';

export const STATUSES = ['waiting', 'in_progress', 'done'];
export const PRIORITIES = ['none', 'low', 'medium', 'high', 'urgent'];

export const projectPath = (id) => `/v1/projects/${encodeURIComponent(id)}`;
export const taskPath = (task) => `${projectPath(task.project)}/tasks/${encodeURIComponent(task.id)}`;
export const projectHref = (id, view = '') => `#/projects/${encodeURIComponent(id)}${view && `/${view}`}`;
export const taskHref = (task) => `${projectHref(task.project)}/tasks/${encodeURIComponent(task.id)}`;

/** The tasks of one project, newest first, or mine of all in the order of the server. */
export class TaskList {
	complete = false;
	onchange = () => {};
	/** The page on its way. */
	loading = null;
	#tasks = new Map();
	#gone = new Set();
	#cursor = null;
	#shown = null;
	#frame = 0;

	constructor(path, query = {}) {
		Object.assign(this, { path, query });
		addEventListener('outbox', this.#answered);
	}

	/** As the person left them. */
	get tasks() {
		const tasks = [...this.#tasks.values()];
		// Ids grow with time: so what others create finds its place, and what comes before its page does.
		if (!this.query.assignee) tasks.sort((a, b) => (a.id < b.id ? 1 : -1));
		return this.#shown ??= tasks.map(overlay).filter(Boolean);
	}

	/** A task as the server told of it. */
	get(id) {
		return this.#tasks.get(id);
	}

	more() {
		return this.complete ? Promise.resolve() : this.loading ??= page(this.path, { ...this.query, limit: 100, cursor: this.#cursor }).then(({ items, next_cursor }) => {
			this.#cursor = next_cursor;
			this.complete = next_cursor === null;
			items.forEach((it) => this.take(it));
			this.#changed();
		}).finally(() => {
			this.loading = null;
		});
	}

	/** Loads all there is, unless it is closed before. */
	async rest() {
		while (!this.complete && this.onchange) await this.more();
	}

	/** Takes a version from the server. */
	take(task) {
		if (this.#gone.has(task.id) || this.get(task.id)?.version >= task.version) return;
		this.#tasks.set(task.id, task);
		this.#changed();
	}

	drop(id) {
		this.#gone.add(id);
		this.#tasks.delete(id);
		this.#changed();
	}

	close() {
		this.onchange = null;
		removeEventListener('outbox', this.#answered);
	}

	#answered = ({ detail: { id, task, gone } }) => {
		if (gone) this.drop(id);
		else if (task && this.get(id)) this.take(task);
		this.#changed();
	};

	#changed() {
		this.#shown = null;
		this.#frame ||= requestAnimationFrame(() => {
			this.#frame = 0;
			this.onchange?.();
		});
	}
}
