import { get, page } from './api.js';
import { projectPath, taskPath } from './tasks.js';

/** Gives `take` the changes of a project, each once; returns what ends that. */
export function follow(project, take) {
	const seen = new Set();
	const stop = new AbortController();
	const { signal } = stop;
	let after = 'now';
	let lively = Date.now();
	let timer;
	const poll = async () => {
		if (timer === null || document.hidden || signal.aborted) return;
		clearTimeout(timer);
		timer = null;
		let full = false;
		try {
			const { items, next_cursor } = await page(`${projectPath(project)}/changes`, { limit: 100, after });
			after = next_cursor;
			full = items.length === 100;
			// The last seconds are listed again and again.
			const news = items.filter(({ id }) => !seen.has(id) && seen.add(id));
			if (news.length > 0) lively = Date.now();
			if (news.length > 0 && !signal.aborted) await take(news);
		} catch (error) {
			// No longer a member, or the project is gone.
			if (error.status === 404) stop.abort();
		}
		timer = setTimeout(poll, full ? 0 : Date.now() - lively > 300000 ? 5000 : 1500);
	};
	for (const it of ['pointerdown', 'keydown']) addEventListener(it, () => { lively = Date.now(); }, { signal });
	document.addEventListener('visibilitychange', poll, { signal });
	poll();
	return () => stop.abort();
}

/** Keeps a list up to date with a project. */
export const fresh = (list, project) => follow(project, async (changes) => {
	await list.loading?.catch(() => {});
	for (const { task: id, version, kind, actor, at, fields } of changes) {
		const known = list.get(id);
		if (kind === 'deleted') list.drop(id);
		else if (known?.version === version - 1) list.take({ ...known, ...Object.fromEntries(fields.map(({ name, to }) => [name, to])), version, updated_by: actor, updated_at: at });
		// What is not loaded yet comes as it is then.
		else if (known ? known.version < version : list.complete || kind === 'created') await get(taskPath({ project, id })).then((it) => list.take(it), ({ status }) => status === 404 && list.drop(id));
	}
});
