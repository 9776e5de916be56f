import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const ben = await stack.person('Ben');

async function at(t, project, view = '') {
	const visitor = await visit(t, stack);
	await visitor.logIn(ada, `#/projects/${project}${view}`);
	return visitor;
}

const titles = (page) => page.locator('[data-task] a.task-title').allTextContents();

test('tasks made on the page stand on top, the newest first, also after a reload', async (t) => {
	const project = await ada.project('Boiler room');
	const { page } = await at(t, project);
	const made = ['Fix the pump', 'Sweep the floor', 'Oil the hinges', 'Paint the door', 'Wax the stairs'];
	for (const title of made) {
		await page.getByRole('button', { name: 'New task' }).click();
		const dialog = page.getByRole('dialog');
		await dialog.getByLabel('Title').fill(title);
		await dialog.locator('[type=submit]').click();
		await page.getByRole('row').filter({ hasText: title }).waitFor();
	}
	assert.deepEqual(await titles(page), made.slice().reverse());
	await page.reload();
	await page.getByRole('row').filter({ hasText: 'Fix the pump' }).waitFor();
	assert.deepEqual(await titles(page), made.slice().reverse());
});

test('a task that is half typed is not lost by closing its dialog, nor by a link without a question', async (t) => {
	const project = await ada.project('Boiler room');
	const { page } = await at(t, project);
	await page.getByRole('button', { name: 'New task' }).click();
	await page.getByRole('dialog').getByLabel('Title').fill('Half a ti');
	await page.getByRole('dialog').getByLabel('Description').fill('And more.');
	await page.keyboard.press('Escape');
	const asked = [];
	page.on('dialog', (dialog) => {
		asked.push(dialog.type());
		dialog.dismiss();
	});
	await page.getByRole('link', { name: 'People' }).click();
	await page.waitForTimeout(1000);
	if (asked.length === 0) await page.getByRole('link', { name: 'Table' }).click();
	await page.getByRole('region', { name: 'Waiting' }).or(page.getByText('No tasks')).first().waitFor();
	await page.getByRole('button', { name: 'New task' }).click();
	assert.equal(await page.getByRole('dialog').getByLabel('Title').inputValue(), 'Half a ti');
	assert.equal(await page.getByRole('dialog').getByLabel('Description').inputValue(), 'And more.');
});

test('a deletion leaves with a log-out within the undo time', async (t) => {
	const project = await ada.project('Boiler room');
	const task = await ada.task(project, 'Fix the pump');
	const { page } = await at(t, project);
	const row = page.getByRole('row').filter({ hasText: 'Fix the pump' });
	await row.focus();
	await page.keyboard.press('Delete');
	await row.waitFor({ state: 'detached' });
	await page.getByRole('link', { name: 'Settings' }).click();
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
	assert.doesNotMatch(await page.locator('body').textContent(), /Fix the pump/);
	await until('the task is deleted', () => ada.read(task).then(() => false, (error) => error.status === 404));
});

test('what one is told of is counted in the header, and leads to its task', async (t) => {
	const project = await ada.project('Boiler room', ben);
	const task = await ada.task(project, 'Fix the pump');
	await ben.change(task, { status: 'done' });
	await until('a notification', async () => (await ada.call('GET', '/v1/notifications/unread')).unread > 0);
	const { page } = await at(t, project, '/people');
	const { unread } = await ada.call('GET', '/v1/notifications/unread');
	const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Updates/ });
	await link.filter({ hasText: String(unread) }).waitFor();
	await link.click();
	await page.getByRole('heading', { level: 1, name: 'Updates' }).waitFor();
	await page.getByRole('link', { name: 'Fix the pump' }).first().click();
	await page.getByRole('heading', { level: 1, name: 'Fix the pump' }).waitFor();
	await until('it counts as read', async () => (await ada.call('GET', '/v1/notifications/unread')).unread === unread - 1);
});

test('the overview counts what the log says: by status, by person, and what is done', async (t) => {
	const project = await ada.project('Boiler room', ben);
	for (const [title, assignee] of [['one', ada], ['two', ada], ['three', ben], ['four', null], ['five', ben]]) await ada.task(project, { title, assignee: assignee?.id ?? null });
	const { items } = await ada.call('GET', `/v1/projects/${project}/tasks`);
	const named = (title) => items.find((it) => it.title === title);
	await ben.change(named('three'), { status: 'in_progress' });
	await ben.change(named('five'), { status: 'in_progress' });
	await ben.change(named('five'), { status: 'done' });
	const { page } = await at(t, project, '/overview');
	const part = (name) => page.locator('section', { has: page.getByRole('heading', { name }) });
	const flow = part('Tasks by day');
	await flow.waitFor();
	assert.match((await flow.textContent()).replace(/\s+/g, ' '), /Waiting 3.*In progress 1.*Done 1/);
	assert.ok(await flow.locator('svg path, svg polygon, svg rect').count() >= 3);
	const open = part('Open tasks by person');
	assert.match((await open.textContent()).replace(/\s+/g, ' '), /Ada.*Waiting 2/);
	assert.match((await open.textContent()).replace(/\s+/g, ' '), /Ben.*In progress 1/);
	assert.match((await open.textContent()).replace(/\s+/g, ' '), /Nobody.*Waiting 1/);
	assert.ok(await part('Days from start to done').locator('svg circle, svg a').count() >= 1);
});
