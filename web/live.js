import { get, page } from './api.js';
import { projectPath, taskPath } from './tasks.js';

/** Gives `take` what changes in a project, each change once, until the function returned is called. */
export function follow(project, take) {
	const seen = new Set();
	const stop = new AbortController();
	const { signal } = stop;
	let after = 'now';
	let lively = Date.now();
	let timer = 0;
	const poll = async () => {
		clearTimeout(timer);
		if (timer === null || document.hidden || signal.aborted) return;
		timer = null;
		let delay = 5000;
		try {
			const { items, next_cursor } = await page(`${projectPath(project)}/changes`, { limit: 100, after });
			after = next_cursor;
			// The last seconds are listed again and again.
			const news = items.filter(({ id }) => !seen.has(id) && seen.add(id));
			if (news.length > 0) lively = Date.now();
			if (items.length === 100) delay = 0;
			else if (Date.now() - lively < 300000) delay = 1500;
			if (news.length > 0 && !signal.aborted) await take(news);
		} catch (error) {
			// No longer a member, or the project is gone.
			if (error.status === 404) stop.abort();
		}
		timer = setTimeout(poll, delay);
	};
	const touch = () => {
		const slept = Date.now() - lively > 300000;
		lively = Date.now();
		if (slept) poll();
	};
	for (const it of ['pointerdown', 'keydown']) addEventListener(it, touch, { signal });
	document.addEventListener('visibilitychange', poll, { signal });
	poll();
	return () => stop.abort();
}

// What the change that creates a task does not name.
const NEW = { status: 'waiting', assignee: null, priority: 'none', due_on: null, labels: [], version: 0 };

/** Keeps a list of tasks up to date with a project; returns what ends it. */
export const fresh = (list, project) => follow(project, async (changes) => {
	await list.loading?.catch(() => {});
	const ask = new Set();
	for (const { task: id, version, kind, actor, at, fields } of changes) {
		const known = list.get(id) ?? (kind === 'created' && { ...NEW, id, project, created_by: actor, created_at: at });
		if (kind === 'deleted') list.drop(id);
		else if (known?.version === version - 1) list.take({ ...known, ...Object.fromEntries(fields.map(({ name, to }) => [name, to])), version, updated_by: actor, updated_at: at });
		// What is not loaded yet comes as it is now.
		else if (known ? known.version < version : list.complete) ask.add(id);
	}
	for (const id of ask) {
		try {
			list.take(await get(taskPath({ project, id })));
		} catch (error) {
			if (error.status === 404) list.drop(id);
		}
	}
});
