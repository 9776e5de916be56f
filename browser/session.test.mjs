import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PASSWORD, startStack } from './stack.mjs';
import { totp } from './totp.mjs';
import { visit } from './visitor.mjs';

const stack = await startStack();
after(() => stack.stop());

const logIn = async (page, email, password) => {
	await page.getByLabel('Email').fill(email);
	await page.getByLabel('Password', { exact: true }).fill(password);
	await page.getByRole('button', { name: 'Log in' }).click();
};

test('a wrong password is refused in words, and what was typed stays', async (t) => {
	const ada = await stack.person('Ada');
	const { page } = await visit(t, stack);
	await page.goto('/');
	await logIn(page, ada.email, 'not my password at all');
	await page.getByRole('alert').filter({ hasText: 'These credentials do not log in.' }).waitFor();
	assert.equal(await page.getByLabel('Email').inputValue(), ada.email);
});

test('a password that is refused is told beside its field, and what was typed stays', async (t) => {
	await stack.call('POST', '/v1/accounts', { name: 'Short', email: 'short@example.com' });
	const visitor = await visit(t, stack);
	const page = await visitor.followMail('short@example.com', '', '/#/verify?token=');
	const password = page.getByLabel('New password', { exact: true });
	await password.fill('too short');
	await page.getByRole('button', { name: 'Save' }).click();
	const said = page.locator(`#${(await password.getAttribute('aria-describedby')).split(' ').at(-1)}`);
	await said.filter({ hasText: '15' }).waitFor();
	assert.equal(await password.getAttribute('aria-invalid'), 'true');
	// Long enough, but it tells the address.
	await password.fill('short@example.com');
	await page.getByRole('button', { name: 'Save' }).click();
	await said.filter({ hasText: /address/ }).waitFor();
	assert.equal(await password.inputValue(), 'short@example.com');
});

test('a link that was used is told to be dead, and leads to a new one', async (t) => {
	await stack.call('POST', '/v1/accounts', { name: 'Twice', email: 'twice@example.com' });
	const { text } = await stack.mail('twice@example.com', 'verify?token=');
	const [, token] = /verify\?token=([\w-]+)/.exec(text);
	await stack.call('POST', '/v1/accounts/verify', { token, password: PASSWORD });
	const visitor = await visit(t, stack);
	const page = await visitor.followMail('twice@example.com', '', '/#/verify?token=');
	assert.doesNotMatch(page.url(), /token/, 'the token is taken out of the address');
	await page.getByLabel('New password', { exact: true }).fill(PASSWORD);
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByText('This link has expired or was used.').waitFor();
	await page.getByRole('link', { name: 'Sign up' }).click();
	await page.getByRole('heading', { name: 'Sign up' }).waitFor();
});

test('a forgotten password is set anew by the mailed link', async (t) => {
	const rosa = await stack.person('Rosa');
	const visitor = await visit(t, stack);
	await visitor.page.goto('/');
	await visitor.page.getByRole('link', { name: 'Forgot your password?' }).click();
	await visitor.page.getByLabel('Email').fill(rosa.email);
	await visitor.page.getByRole('button', { name: 'Mail me a link' }).click();
	await visitor.page.getByRole('heading', { name: 'Check your inbox' }).waitFor();

	const page = await visitor.followMail(rosa.email, '', '/#/reset?token=');
	await page.getByLabel('New password', { exact: true }).fill('a kettle that never whistles');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByText('Your password is set.').waitFor();
	await logIn(page, rosa.email, rosa.password);
	await page.getByText('These credentials do not log in.').waitFor();
	await logIn(page, rosa.email, 'a kettle that never whistles');
	await page.locator('header nav').waitFor();
});

test('a second factor is switched on in the settings, and the log-in then asks for its code', async (t) => {
	const olga = await stack.person('Olga');
	const visitor = await visit(t, stack);
	const { page } = visitor;
	await visitor.logIn(olga, '#/settings');
	const section = page.locator('details', { has: page.locator('summary', { hasText: 'Second factor' }) });
	await section.locator('summary').click();
	await section.getByLabel('Password').fill(olga.password);
	await section.getByRole('button', { name: 'Switch on' }).click();
	const secret = await section.locator('pre').textContent();
	await section.getByLabel('Code').fill(totp(secret));
	await section.getByRole('button', { name: 'Confirm' }).click();
	await section.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
	const codes = (await section.locator('pre').textContent()).split('\n');
	assert.equal(codes.length, 10);
	await section.getByRole('button', { name: 'I have kept it' }).click();

	// The next code of the app: one is good once.
	for (const code of [totp(secret, 1), codes[3]]) {
		const again = await visit(t, stack);
		await again.page.goto('/#/projects');
		await logIn(again.page, olga.email, olga.password);
		await again.page.getByLabel('Code').waitFor();
		await again.page.getByLabel('Code').fill('000000');
		await again.page.getByRole('button', { name: 'Log in' }).click();
		await again.page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
		await again.page.getByLabel('Code').fill(code);
		await again.page.getByRole('button', { name: 'Log in' }).click();
		await again.page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
	}
});

test('tabs share one session: each refreshes in its turn, and none is logged out', async (t) => {
	const tess = await stack.person('Tess');
	const visitor = await visit(t, stack);
	await visitor.logIn(tess, '#/projects');
	const refused = [];
	visitor.context.on('response', (answer) => { if (answer.url().endsWith('/v1/login/refresh') && !answer.ok()) refused.push(answer.status()); });
	const tabs = [visitor.page, await visitor.context.newPage(), await visitor.context.newPage()];
	const open = (hash) => Promise.all(tabs.map(async (it) => {
		await it.goto(`/${hash}`);
		await it.reload();
		await it.getByRole('heading', { level: 1 }).waitFor();
	}));
	for (let round = 0; round < 3; round++) await open('#/projects');
	// The next request of each is refused, as when its access token is too old, in all tabs at once.
	await Promise.all(tabs.map(async (it) => {
		const isTheirs = (url) => url.pathname.startsWith('/v1/') && !url.pathname.includes('/login');
		await it.route(isTheirs, (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{}' }), { times: 1 });
		const asked = it.waitForResponse((answer) => answer.url().endsWith('/v1/login/refresh'));
		await it.evaluate(() => { location.hash = '#/settings'; });
		await asked;
		await it.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
	}));
	assert.deepEqual(refused, []);
	assert.equal((await tess.call('GET', '/v1/me/sessions')).items.length, 2, 'theirs, and the one of this test');
});

test('the end of a session leads to the log-in, and from there back to where one was with all that was typed', async (t) => {
	const ivan = await stack.person('Ivan');
	const visitor = await visit(t, stack);
	const { page } = visitor;
	await visitor.logIn(ivan, '#/projects');
	await page.getByLabel('Project name').fill('Half a na');
	await ivan.call('DELETE', '/v1/me/sessions');
	// Unless the page has found out by itself.
	await page.getByRole('button', { name: 'Create' }).click({ timeout: 1000 }).catch(() => {});
	const dialog = page.getByRole('dialog');
	await dialog.getByText('Your session has ended. Please log in again.').waitFor();
	await page.keyboard.press('Escape');
	await logIn(dialog, ivan.email, ivan.password);
	await dialog.waitFor({ state: 'detached' });
	await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
	assert.equal(await page.getByLabel('Project name').inputValue(), 'Half a na');
	await page.getByRole('button', { name: 'Create' }).click();
	await page.getByRole('heading', { level: 1, name: 'Half a na' }).waitFor();
});

test('an address asked for without a session is shown after the log-in', async (t) => {
	const nora = await stack.person('Nora');
	const project = await nora.project('Night shift');
	const { page } = await visit(t, stack);
	await page.goto(`/#/projects/${project}/people`);
	await logIn(page, nora.email, nora.password);
	await page.getByRole('heading', { level: 1, name: 'Night shift' }).waitFor();
	assert.match(page.url(), /\/people$/);
});

test('what keeps a session is out of reach of scripts, and logging out ends it in every tab', async (t) => {
	const otto = await stack.person('Otto');
	const visitor = await visit(t, stack);
	const { page, context } = visitor;
	await visitor.logIn(otto, '#/settings');
	const cookies = (await context.cookies()).map(({ name, httpOnly, secure, sameSite }) => ({ name, httpOnly, secure, sameSite }));
	assert.ok(cookies.some((it) => it.name === '__Host-baton-refresh'));
	for (const cookie of cookies) assert.deepEqual(cookie, { name: cookie.name, httpOnly: true, secure: true, sameSite: 'Strict' });
	const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
	assert.doesNotMatch(kept, /token|eyJ/i);

	const other = await context.newPage();
	await other.goto('/#/projects');
	await other.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
	await other.getByRole('heading', { name: 'Log in' }).waitFor();
	assert.deepEqual((await context.cookies()).filter((it) => it.name === '__Host-baton-refresh'), []);
});
