// A `baton` of a test's own, and what people do with it without a browser.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './wait.mjs';

const BATON = process.env.BATON ?? fileURLToPath(new URL('../target/debug/baton', import.meta.url));

export const PASSWORD = 'seven spanners under the sink';

/** Starts a `baton` that keeps nothing, on a free port. */
export async function startStack() {
	const child = spawn(BATON, ['--in-memory', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
	// A test that breaks off leaves none behind.
	const kill = () => child.kill('SIGKILL');
	process.once('exit', kill);
	let said = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text; });
	const ended = new Promise((resolve) => { child.once('exit', resolve); });
	child.once('error', (error) => { said += error.message; });
	await until('baton is ready', () => /^ready$/m.test(said) || child.exitCode !== null, 60_000);
	const [, origin] = /^page\s+(http:\S+?)\/$/m.exec(said) ?? assert.fail(`baton did not start: ${said}`);
	return new Stack(origin, async () => {
		child.kill('SIGTERM');
		await ended;
		process.off('exit', kill);
	});
}

class Stack {
	constructor(origin, stop) {
		this.origin = origin;
		this.stop = stop;
	}

	/** A request; `headers` beside it. Answers that are no success throw, with the `status`. */
	async call(method, path, body, headers = {}) {
		const answer = await fetch(this.origin + path, {
			method,
			headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
			body: body === undefined ? undefined : JSON.stringify(body),
		});
		const text = await answer.text();
		if (!answer.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${text}`), { status: answer.status });
		return text ? JSON.parse(text) : undefined;
	}

	/** The newest mail to an address whose subject or text has `part`, as soon as it is there. */
	async mail(to, part) {
		return until(`a mail to ${to} with ${part}`, async () => {
			const mails = await this.call('GET', `/inbox.json?to=${encodeURIComponent(to)}`);
			return mails.find((it) => it.subject.includes(part) || it.text.includes(part));
		});
	}

	/** Somebody with an account, logged in by the API. */
	async person(name, { email = `${name.toLowerCase().replace(/\W+/g, '.')}@example.com`, ...profile } = {}) {
		await this.call('POST', '/v1/accounts', { name, email, ...profile });
		const { text } = await this.mail(email, 'verify?token=');
		const [, token] = /verify\?token=([\w-]+)/.exec(text);
		await this.call('POST', '/v1/accounts/verify', { token, password: PASSWORD });
		const { access_token, user } = await this.call('POST', '/v1/login', { email, password: PASSWORD });
		return new Person(this, { id: user.id, name, email, accessToken: access_token });
	}
}

class Person {
	constructor(stack, { id, name, email, accessToken }) {
		Object.assign(this, { stack, id, name, email, accessToken, password: PASSWORD });
	}

	call(method, path, body, headers = {}) {
		return this.stack.call(method, path, body, { authorization: `Bearer ${this.accessToken}`, ...headers });
	}

	/** A project of theirs, with others in it as editors, or in a role: `[person, 'viewer']`. */
	async project(name, ...others) {
		const { id } = await this.call('POST', '/v1/projects', { name });
		for (const [other, role] of others.map((it) => [it, 'editor'].flat())) {
			await this.call('POST', `/v1/projects/${id}/invitations`, { email: other.email, role });
			await other.call('POST', `/v1/me/invitations/${id}/accept`);
		}
		return id;
	}

	task(project, fields) {
		return this.call('POST', `/v1/projects/${project}/tasks`, typeof fields === 'string' ? { title: fields } : fields);
	}

	/** Changes a task as it is now, or as it was at a version. */
	change(task, patch, version = '*') {
		return this.call('PATCH', `/v1/projects/${task.project}/tasks/${task.id}`, patch, { 'if-match': version === '*' ? '*' : `"${version}"` });
	}

	read(task) {
		return this.call('GET', `/v1/projects/${task.project}/tasks/${task.id}`);
	}

	/** `count` tasks, made by ordinary requests, several at a time. */
	async manyTasks(project, count, fieldsOf) {
		let next = 0;
		const make = async () => {
			while (next < count) await this.task(project, fieldsOf(next++));
		};
		await Promise.all(Array.from({ length: 8 }, make));
	}
}
