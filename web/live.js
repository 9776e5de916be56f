import {get, page, Problem, SignedOut} from './api.js'
import {projectPath, taskPath} from './tasks.js'

let lively = Date.now()
const touch = () => {lively = Date.now()}
for (const it of ['pointerdown', 'keydown']) addEventListener(it, touch)

export function follow(project, take, after = 'now') {
	const seen = new Set()
	let open = true
	const poll = async () => {
		while (document.hidden && after !== 'now') await new Promise(done => document.addEventListener('visibilitychange', done, {once: true}))
		if (!open) return
		let full = false
		try {
			const {items, next_cursor} = await page(`${projectPath(project)}/changes`, {limit: 100, after}).catch(error => {
				// The page says so, once nothing typed is lost by it.
				if (open && error.status === 404 && !document.querySelector('.typed')) {
					open = false
					dispatchEvent(new Event('hashchange'))
				}
				throw error
			})
			// The last seconds are listed again.
			const news = items.filter(({id}) => !seen.has(id))
			if (news[0]) touch()
			if (news[0] && open) await take(news)
			full = items.length === 100 && next_cursor !== after
			after = next_cursor
			for (const {id} of news) seen.add(id)
		} catch (error) {
			if (!(error instanceof Problem || error instanceof SignedOut)) throw error
		} finally {
			setTimeout(poll, full ? 0 : Date.now() - lively > 300000 ? 5000 : 1200)
		}
	}
	poll()
	return () => {open = false}
}

export const fresh = (list, project) => follow(project, async changes => {
	await list.loading?.catch(() => {})
	for (const {task: id, version, kind, actor, at, fields} of changes) {
		const known = list.get(id)
		if (kind === 'deleted') list.drop(id)
		else if (known?.version === version - 1) list.take({...known, ...Object.fromEntries(fields.map(({name, to}) => [name, to])), version, updated_by: actor, updated_at: at})
		else if (known ? known.version < version : list.complete || list.query.assignee || kind === 'created') await get(taskPath({project, id})).then(it => list.take(it), error => {
			if (error.status !== 404) throw error
			list.drop(id)
		})
	}
})
