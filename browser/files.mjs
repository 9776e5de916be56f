import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };

/** Where BATON_WEB names a folder, the page's files come from there, so that one who works on them need not compile them into the binary first. */
export async function servePage(context, { origin }) {
	if (!process.env.BATON_WEB) return;
	const folder = path.resolve(process.env.BATON_WEB);
	const policy = (await fetch(origin)).headers.get('content-security-policy');
	const fileOf = (url) => path.join(folder, url.pathname === '/' ? 'index.html' : url.pathname);
	const isFile = (url) => /^\/([\w-]+\.\w+)?$/.test(url.pathname) && existsSync(fileOf(url));
	await context.route(isFile, async (route) => {
		const file = fileOf(new URL(route.request().url()));
		// One whose page is gone meanwhile is nobody's.
		await route.fulfill({ body: await readFile(file), headers: { 'content-type': `${TYPES[path.extname(file).slice(1)]}; charset=utf-8`, 'content-security-policy': policy } }).catch(() => {});
	});
}
