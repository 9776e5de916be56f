import {get, page} from './api.js'
import {projectPath, taskPath} from './tasks.js'

let lively = Date.now()
const touch = () => {lively = Date.now()}
for (const it of ['pointerdown', 'keydown']) addEventListener(it, touch)

/** Gives `take` the changes of a project, each once; returns what ends that. */
export function follow(project, take) {
	const seen = new Set()
	let after = 'now'
	let open = true
	const poll = async () => {
		while (document.hidden) await new Promise(done => document.addEventListener('visibilitychange', done, {once: true}))
		if (!open) return
		let full = false
		try {
			const {items, next_cursor} = await page(`${projectPath(project)}/changes`, {limit: 100, after})
			after = next_cursor
			full = items.length === 100
			// The last seconds are listed again.
			const news = items.filter(({id}) => !seen.has(id) && seen.add(id))
			if (news.length > 0) touch()
			if (news.length > 0 && open) await take(news)
		} catch ({status}) {
			// No longer a member, or the project is gone.
			if (status === 404) open = false
		}
		setTimeout(poll, full ? 0 : Date.now() - lively > 300000 ? 5000 : 1500)
	}
	poll()
	return () => {open = false}
}

/** Keeps a list up to date with a project. */
export const fresh = (list, project) => follow(project, async changes => {
	await list.loading?.catch(() => {})
	for (const {task: id, version, kind, actor, at, fields} of changes) {
		const known = list.get(id)
		if (kind === 'deleted') list.drop(id)
		else if (known?.version === version - 1) list.take({...known, ...Object.fromEntries(fields.map(({name, to}) => [name, to])), version, updated_by: actor, updated_at: at})
		// What is not loaded yet comes as it is then.
		else if (known ? known.version < version : list.complete || kind === 'created') await get(taskPath({project, id})).then(it => list.take(it), ({status}) => status === 404 && list.drop(id))
	}
})
