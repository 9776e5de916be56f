// Only this talks to the API. The access token stays in its memory, the refresh token in a cookie no script can read.
import {fromNow, locale, t} from './i18n.js'

export class Problem extends Error {
	constructor(status, body = {}, retryAfter) {
		super(!status ? t('problem.offline') : status === 429 && retryAfter ? t('problem.tooOften', {when: fromNow(retryAfter)}) : body.detail ?? t('problem.server'))
		Object.assign(this, {status, body, retryAfter, fields: body.errors ?? []})
	}
}

export class SignedOut extends Error {
	message = t('session.ended')
}

let accessToken
let refreshing
// Whom this page is drawn for.
let owner
// Nothing is asked for until somebody logs in, here or in another tab.
let over

export function drop() {
	accessToken = null
	over = false
}

async function send(method, path, {body, token, version, key, ...options} = {}) {
	const lost = () => Promise.reject(new Problem(0))
	const answer = await fetch(path, {
		method,
		headers: {
			accept: 'application/json', 'accept-language': locale, ...(body && {'content-type': 'application/json'}),
			...(token && {authorization: `Bearer ${token}`}), ...(version && {'if-match': `"${version}"`}), ...(key && {'idempotency-key': key})
		},
		body: body && JSON.stringify(body),
		signal: AbortSignal.timeout(20_000),
		...options
	}).catch(lost)
	const text = await answer.text().catch(lost)
	// A gateway may answer in HTML, even with 200.
	const isJson = answer.headers.get('content-type')?.includes('json')
	const read = text && isJson ? JSON.parse(text) : {}
	if (answer.ok && (isJson || !text)) return read
	throw new Problem(answer.ok ? 502 : answer.status, read, answer.headers.get('retry-after'))
}

function keep(answer) {
	const token = answer.access_token
	if (!token) return answer
	const {sub} = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
	owner ??= sub
	if (sub !== owner) {
		location.reload()
		throw new SignedOut()
	}
	accessToken = token
	over = false
	return answer
}

// A refresh token used again after its grace ends the session, so tabs take turns.
const inTurn = act => navigator.locks.request('baton-refresh', act)

async function refresh() {
	if (over) throw new SignedOut()
	return refreshing ??= inTurn(() => open('/v1/login/refresh', {}).then(keep)).catch(error => {
		// Offline, too often, a fault: that passes.
		if (!/^4(?!29)/.test(error.status)) throw error
		accessToken = null
		over = true
		dispatchEvent(new Event('signedout'))
		throw new SignedOut()
	}).finally(() => {
		refreshing = null
	})
}

export const logIn = proof => open(`/v1/login${proof.ticket ? '/second-factor' : ''}`, {...proof, cookie: true}).then(keep)

// Where that is refused, there is no session any more.
export const logOut = () => inTurn(() => open('/v1/logout', {}).catch(error => {
	if (error.status !== 401) throw error
}))

export const open = (path, body) => send('POST', path, {body})

export async function request(method, path, options) {
	if (!accessToken) await refresh()
	const attempt = () => send(method, path, {...options, token: accessToken})
	return attempt().catch(async error => {
		if (error.status !== 401) throw error
		await refresh()
		return attempt()
	})
}

export const get = path => request('GET', path)

export const page = (path, {cursor, ...query}) => get(`${path}?${new URLSearchParams({...query, ...(cursor && {cursor})})}`)

export async function all(path, query, cursor) {
	const {items, next_cursor: next} = await page(path, {...query, limit: 100, cursor})
	return next ? [...items, ...await all(path, query, next)] : items
}

// The same body goes with the same key until it is answered: repeating it makes nothing twice.
export function creator(path) {
	const keys = {}
	return async body => {
		const text = JSON.stringify(body)
		const made = await request('POST', path, {body, key: keys[text] ??= crypto.randomUUID()})
		delete keys[text]
		return made
	}
}
