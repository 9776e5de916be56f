import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const project = await ada.project('Boiler room');
const isGone = (task) => ada.read(task).then(() => false, (error) => error.status === 404);

/** Ada's browser at the project's table with a task of that title, and what it asks the API to delete. */
async function at(test, title, hash = '') {
	const task = await ada.task(project, title);
	const visitor = await visit(test, stack);
	const deletions = [];
	visitor.context.on('request', (request) => { if (request.method() === 'DELETE') deletions.push(request.url()); });
	await visitor.logIn(ada, `#/projects/${project}${hash}`);
	const row = visitor.page.getByRole(hash ? 'listitem' : 'row').filter({ hasText: title }).first();
	await row.focus();
	return { task, visitor, page: visitor.page, row, deletions };
}

test('a deletion is taken back within the undo time, and the API never hears of it', async (t) => {
	const { task, page, row, deletions } = await at(t, 'Sweep the floor');
	await page.keyboard.press('Delete');
	await row.waitFor({ state: 'detached' });
	await page.getByRole('button', { name: 'Undo' }).click();
	await row.waitFor();
	await page.waitForTimeout(7000);
	assert.deepEqual(deletions, []);
	assert.equal((await ada.read(task)).version, 1);
});

test('a deletion leaves when the undo has passed', async (t) => {
	const { task, page, row, deletions } = await at(t, 'Oil the hinges', '/board');
	await page.keyboard.press('Delete');
	await row.waitFor({ state: 'detached' });
	await page.waitForTimeout(3000);
	assert.deepEqual(deletions, []);
	await until('the task is deleted', () => isGone(task));
	assert.equal(deletions.length, 1);
	await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' });
	await page.reload();
	await page.getByRole('heading', { level: 1 }).waitFor();
	assert.equal(await row.count(), 0);
});

for (const [how, leave] of [
	['another page is opened', (page) => page.goto('about:blank')],
	['the page is reloaded', (page) => page.reload()],
	['the tab is closed', (page) => page.close({ runBeforeUnload: true })],
]) {
	test(`a deletion leaves with the page where ${how} within the undo time`, async (t) => {
		const { task, page, row } = await at(t, 'Paint the door');
		await page.keyboard.press('Delete');
		await row.waitFor({ state: 'detached' });
		const since = Date.now();
		await leave(page);
		await until('the task is deleted', () => isGone(task));
		assert.ok(Date.now() - since < 5000, 'it was not the end of the undo time');
	});
}

test('a deletion can be taken back from another page of the app', async (t) => {
	const { task, page, row } = await at(t, 'Count the keys');
	await page.keyboard.press('Delete');
	await row.waitFor({ state: 'detached' });
	await page.getByRole('link', { name: 'Board' }).click();
	await page.getByRole('region', { name: 'Waiting' }).waitFor();
	await page.getByRole('button', { name: 'Undo' }).click();
	await page.getByRole('link', { name: 'Count the keys' }).waitFor();
	await page.waitForTimeout(6500);
	assert.equal((await ada.read(task)).version, 1);
});

test('what somebody else changed meanwhile is not deleted unseen', async (t) => {
	const ben = await stack.person('Ben');
	await ada.call('POST', `/v1/projects/${project}/invitations`, { email: ben.email, role: 'editor' });
	await ben.call('POST', `/v1/me/invitations/${project}/accept`);
	const { task, visitor, page, row } = await at(t, 'Change the filter');
	await page.keyboard.press('Delete');
	await row.waitFor({ state: 'detached' });
	await visitor.hearNothing();
	await ben.change(task, { description: 'Ordered, comes on Monday.' });
	await page.getByRole('row').filter({ hasText: 'Change the filter' }).waitFor({ timeout: 12_000 });
	assert.equal((await ada.read(task)).version, 2);
});
