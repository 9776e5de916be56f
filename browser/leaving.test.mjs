import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');

test('a deletion leaves with the person who logs out within the undo time', async (t) => {
	const project = await ada.project('Boiler room');
	const task = await ada.task(project, 'Sweep the floor');
	const visitor = await visit(t, stack);
	const { page } = visitor;
	await visitor.logIn(ada, `#/projects/${project}`);
	await page.getByRole('row').filter({ hasText: task.title }).focus();
	await page.keyboard.press('Delete');
	await page.getByRole('row').filter({ hasText: task.title }).waitFor({ state: 'detached' });
	await page.getByRole('link', { name: 'Settings' }).click();
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
	await until('the task is deleted', () => ada.read(task).then(() => false, (error) => error.status === 404), 3000);
});

test('what is not saved is asked about at the log-out, and not shown to whoever comes next', async (t) => {
	const project = await ada.project('Attic');
	const task = await ada.task(project, 'Oil the hinges');
	const visitor = await visit(t, stack);
	const { page } = visitor;
	const asked = [];
	let answer = false;
	page.on('dialog', (dialog) => {
		asked.push(dialog.message());
		return answer ? dialog.accept() : dialog.dismiss();
	});
	await visitor.logIn(ada, `#/projects/${project}`);
	await page.route((url) => url.pathname.endsWith(task.id), (route) => (route.request().method() === 'PATCH' ? route.abort() : route.continue()));
	await page.getByRole('row').filter({ hasText: task.title }).focus();
	await page.keyboard.press('3');
	const banner = page.locator('#outbox').filter({ hasText: /\w/ });
	await banner.waitFor();
	await page.getByRole('link', { name: 'Settings' }).click();
	await page.getByRole('button', { name: 'Log out' }).click();
	await until('the question', () => asked.length === 1);
	await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
	answer = true;
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
	assert.equal(await banner.count(), 0);
	assert.equal((await ada.read(task)).status, 'waiting');
});

test('somebody who is no longer in a project is told so where they are', async (t) => {
	const ben = await stack.person('Ben');
	const project = await ben.project('Cellar', ada);
	await ben.task(project, 'Fix the pump');
	const visitor = await visit(t, stack);
	await visitor.logIn(ada, `#/projects/${project}`);
	await visitor.page.getByRole('row').filter({ hasText: 'Fix the pump' }).waitFor();
	await ben.call('DELETE', `/v1/projects/${project}/members/${ada.id}`);
	await visitor.page.getByRole('heading', { level: 1, name: 'Not found' }).waitFor();
});

test('a task half typed stays where its project is not to be seen any more', async (t) => {
	const cy = await stack.person('Cy');
	const project = await cy.project('Cellar', ada);
	const visitor = await visit(t, stack);
	const { page } = visitor;
	await visitor.logIn(ada, `#/projects/${project}`);
	await page.getByRole('button', { name: 'New task' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Title').fill('Fix the pump');
	const [answer] = await Promise.all([
		page.waitForResponse((it) => it.url().includes('/changes') && it.status() === 404),
		cy.call('DELETE', `/v1/projects/${project}/members/${ada.id}`),
	]);
	await answer.finished();
	await page.waitForTimeout(1000);
	assert.equal(await dialog.getByLabel('Title').inputValue(), 'Fix the pump');
});
