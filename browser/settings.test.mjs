import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { totp } from './totp.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());

const fold = (page, name) => page.locator('details', { has: page.locator('summary', { hasText: name }) });

/** Somebody at their settings, with the part of that name open; questions whether it is meant are answered with yes. */
async function at(t, name, part) {
	const person = await stack.person(name);
	const visitor = await visit(t, stack);
	await visitor.logIn(person, '#/settings');
	const { page } = visitor;
	page.on('dialog', (dialog) => dialog.accept());
	if (part) await fold(page, part).locator('summary').click();
	return { person, visitor, page, place: part && fold(page, part) };
}

test('name, language, time zone and what one is mailed of are kept', async (t) => {
	const { person, page } = await at(t, 'Ada');
	const project = await person.project('Boiler room');
	const task = await person.task(project, 'Fix the pump');
	await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
	await page.getByLabel('Time zone').selectOption('Pacific/Kiritimati');
	await page.getByLabel('a task moves').selectOption({ label: 'Once a day' });
	await page.getByLabel('a task is edited').selectOption({ label: 'Never' });
	await page.getByLabel('Once a day, at').selectOption('7');
	await page.getByLabel('From').fill('22:00');
	await page.getByLabel('To', { exact: true }).fill('06:30');
	await page.getByLabel('Urgent tasks come through').uncheck();
	await page.getByRole('button', { name: 'Save' }).first().click();
	await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor();
	const { name, time_zone, notify } = await person.call('GET', '/v1/me');
	assert.deepEqual([name, time_zone], ['Ada Lovelace', 'Pacific/Kiritimati']);
	assert.deepEqual(notify, { assigned: 'now', status: 'digest', edited: 'none', deleted: 'now', digest_hour: 7, quiet_hours: { from: '22:00', to: '06:30', urgent: false } });
	// Dates are in that zone from now on.
	await page.goto(`/#/projects/${project}/tasks/${task.id}`);
	const there = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Pacific/Kiritimati' }).format(new Date(task.created_at));
	await page.locator(`time[title="${there}"]`).first().waitFor();
});

test('a setting that is refused is told beside its field, and nothing typed is lost', async (t) => {
	const { page } = await at(t, 'Ben');
	const save = page.getByRole('button', { name: 'Save' }).first();
	const name = page.getByLabel('Name', { exact: true });
	const refused = async (input) => {
		await save.click();
		await until('it is refused', async () => (await input.getAttribute('aria-invalid')) === 'true');
		assert.match(await page.locator(`#${(await input.getAttribute('aria-describedby')).split(' ').at(-1)}`).textContent(), /\w/);
	};
	await page.getByLabel('From').fill('22:00');
	await name.fill('x'.repeat(101));
	await refused(name);
	assert.equal(await name.inputValue(), 'x'.repeat(101));
	await name.fill('Ben');
	await refused(page.getByLabel('To', { exact: true }));
	assert.equal(await name.getAttribute('aria-invalid'), null);
	assert.equal(await page.getByLabel('From').inputValue(), '22:00');
	await page.getByLabel('To', { exact: true }).fill('06:00');
	await save.click();
	await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor();
});

test('one sees where one is logged in, and ends a session', async (t) => {
	const { person, page, place } = await at(t, 'Cleo', 'Sessions');
	const others = place.getByRole('listitem').filter({ hasNotText: 'this one' });
	await others.first().waitFor();
	await others.first().getByRole('button', { name: /^End/ }).click();
	await until('its session is over', () => person.call('GET', '/v1/me').then(() => false, (error) => error.status === 401));
	await others.waitFor({ state: 'detached' });
	await page.reload();
	await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
});

test('a password is changed with the old one, and a wrong one is told beside its field', async (t) => {
	const { person, page, place } = await at(t, 'Dora', 'Change password');
	await place.getByLabel('Current password').fill('not my password at all');
	await place.getByLabel('New password', { exact: true }).fill('a kettle that never whistles');
	await place.getByRole('button', { name: 'Save' }).click();
	await place.locator('.error, .form-error').filter({ hasText: /\w/ }).first().waitFor();
	assert.equal(await place.getByLabel('New password', { exact: true }).inputValue(), 'a kettle that never whistles');
	await place.getByLabel('Current password').fill(person.password);
	await place.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('status').filter({ hasText: 'Changed' }).waitFor();
	await stack.call('POST', '/v1/login', { email: person.email, password: 'a kettle that never whistles' });
});

test('a token is shown once, works, and is revoked', async (t) => {
	const { person, page, place } = await at(t, 'Emil', 'API tokens');
	await place.getByLabel('Name').fill('nightly report');
	await place.getByLabel('Access').selectOption({ label: 'Read' });
	await place.getByLabel('Password').fill(person.password);
	await place.getByRole('button', { name: 'New token' }).click();
	const token = await place.locator('pre').textContent();
	const asToken = () => stack.call('GET', '/v1/projects', undefined, { authorization: `Bearer ${token}` });
	await asToken();
	await place.getByRole('button', { name: 'I have kept it' }).click();
	const row = place.getByRole('listitem').filter({ hasText: 'nightly report' });
	await row.waitFor();
	assert.doesNotMatch(await page.content(), new RegExp(token));
	await row.getByRole('button', { name: /^Revoke/ }).click();
	await row.waitFor({ state: 'detached' });
	await assert.rejects(asToken, { status: 401 });
	// It is among what happened.
	await fold(page, 'What happened').locator('summary').click();
	await fold(page, 'What happened').getByRole('listitem').filter({ hasText: 'nightly report' }).first().waitFor();
});

test('a second factor is switched off by a code', async (t) => {
	const { person, page, place } = await at(t, 'Fred', 'Second factor');
	await place.getByLabel('Password').fill(person.password);
	await place.getByRole('button', { name: 'Switch on' }).click();
	const secret = await place.locator('pre').textContent();
	await place.getByLabel('Code').fill(totp(secret));
	await place.getByRole('button', { name: 'Confirm' }).click();
	await place.getByRole('button', { name: 'I have kept it' }).click();
	await page.locator('summary', { hasText: 'Second factor' }).filter({ hasText: 'on' }).waitFor();
	await place.locator('summary').click();
	const off = place.locator('form').last();
	await off.getByLabel('Password', { exact: true }).fill(person.password);
	await off.getByLabel('Code').fill(totp(secret, 1));
	await off.getByRole('button', { name: 'Switch off' }).click();
	await until('it is off', async () => (await person.call('GET', '/v1/me/second-factor')).enabled === false);
	await page.locator('summary', { hasText: 'Second factor' }).filter({ hasText: 'off' }).waitFor();
});

test('an address is changed by the links in both mailboxes', async (t) => {
	const { person, visitor, page, place } = await at(t, 'Gita', 'Change address');
	await place.getByLabel('New address').fill('gita@elsewhere.example');
	await place.getByLabel('Password').fill(person.password);
	await place.getByRole('button', { name: 'Change address' }).click();
	await page.getByRole('status').filter({ hasText: 'both mailboxes' }).waitFor();
	for (const [mailbox, said] of [[person.email, 'Now follow the link in the other mailbox.'], ['gita@elsewhere.example', 'Your account has the new address.']]) {
		const link = await visitor.followMail(mailbox, '', '/#/email?token=');
		await link.getByRole('button', { name: 'Confirm' }).click();
		await link.getByText(said).waitFor();
		await link.close();
	}
	await stack.call('POST', '/v1/login', { email: 'gita@elsewhere.example', password: person.password });
});

test('one\'s data is downloaded, and the account ended', async (t) => {
	const { person, page, place } = await at(t, 'Hugo', 'Your data');
	const [download] = await Promise.all([page.waitForEvent('download'), place.getByRole('button', { name: 'Download as JSON' }).click()]);
	const data = JSON.parse(await readFile(await download.path(), 'utf8'));
	assert.ok(JSON.stringify(data).includes(person.email));
	await place.getByLabel('Password').fill(person.password);
	await place.getByRole('button', { name: 'Delete account' }).click();
	await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
	await assert.rejects(stack.call('POST', '/v1/login', { email: person.email, password: person.password }), { status: 401 });
});

test('an owner gives roles, withdraws invitations, removes members, and renames and deletes the project', async (t) => {
	const { person: owner, visitor, page } = await at(t, 'Ines');
	const jan = await stack.person('Jan');
	const project = await owner.project('Boiler room', jan);
	const roleOf = async ({ id }) => (await owner.call('GET', `/v1/projects/${project}/members`)).items.find((it) => it.user === id && !it.left_at)?.role;
	await visitor.open(`#/projects/${project}/people`, 'Boiler room');
	await page.getByLabel('Role: Jan').selectOption({ label: 'Viewer' });
	await until('Jan is a viewer', async () => (await roleOf(jan)) === 'viewer');

	// A project keeps an owner: refused, told there, and shown as it is.
	await page.getByLabel('Role: Ines').selectOption({ label: 'Editor' });
	await page.getByRole('listitem').filter({ hasText: 'Ines' }).locator('.error').filter({ hasText: /\w/ }).waitFor();
	assert.equal(await roleOf(owner), 'owner');

	await page.getByRole('main').getByLabel('Email').fill('not an address');
	await page.getByRole('button', { name: 'Send invitation' }).click();
	await page.locator('[name=email][aria-invalid=true]').waitFor();
	assert.equal(await page.getByRole('main').getByLabel('Email').inputValue(), 'not an address');
	await page.getByRole('main').getByLabel('Email').fill('kim@example.com');
	await page.getByRole('button', { name: 'Send invitation' }).click();
	const invited = page.getByRole('listitem').filter({ hasText: 'kim@example.com' });
	await invited.getByRole('button', { name: /Withdraw/ }).click();
	await invited.waitFor({ state: 'detached' });

	await page.getByRole('button', { name: 'Remove: Jan' }).click();
	await page.getByRole('listitem').filter({ hasText: 'Jan' }).waitFor({ state: 'detached' });
	assert.equal(await roleOf(jan), undefined);
	await page.getByLabel('Project name').fill('Engine room');
	await page.getByRole('button', { name: 'Rename' }).click();
	await page.getByRole('heading', { level: 1, name: 'Engine room' }).waitFor();
	await page.getByRole('button', { name: /Delete project/ }).click();
	await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
	assert.deepEqual((await owner.call('GET', '/v1/projects')).items, []);
});

test('one follows a project or a task as one likes', async (t) => {
	const { person, visitor, page } = await at(t, 'Lena');
	const project = await person.project('Boiler room');
	const task = await person.task(project, 'Fix the pump');
	const mode = async (path) => (await person.call('GET', `${path}/subscription`)).mode;
	for (const [hash, path] of [[`#/projects/${project}`, `/v1/projects/${project}`], [`#/projects/${project}/tasks/${task.id}`, `/v1/projects/${project}/tasks/${task.id}`]]) {
		await visitor.open(hash);
		for (const [label, value] of [['Everything', 'watch'], ['Nothing by mail', 'mute'], ['What concerns me', 'default']]) {
			await page.getByLabel('Tell me of').selectOption({ label });
			await until(`${path} is followed as ${value}`, async () => (await mode(path)) === value);
		}
	}
});
