import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');

const titles = (page) => page.locator('[data-task] .task-title').allTextContents();
const shows = (page, expected) => until(`${expected} are listed`, async () => `${await titles(page)}` === `${expected}`).catch(async () => assert.deepEqual(await titles(page), expected));

test('tasks made on the page are listed newest first, as the API lists them', async (t) => {
	const project = await ada.project('Boiler room');
	const visitor = await visit(t, stack);
	const { page } = visitor;
	await visitor.logIn(ada, `#/projects/${project}`);
	const made = ['One', 'Two', 'Three', 'Four', 'Five', 'Six'];
	for (const title of made) {
		await page.getByRole('button', { name: 'New task' }).click();
		await page.getByRole('dialog').getByLabel('Title').fill(title);
		await page.getByRole('button', { name: 'Create task' }).click();
		await page.getByRole('row').filter({ hasText: title }).waitFor();
	}
	await shows(page, made.toReversed());
	await page.getByRole('link', { name: 'Board' }).click();
	await page.getByRole('region', { name: 'Waiting' }).waitFor();
	await shows(page, made.toReversed());
	await page.reload();
	await visitor.drawn();
	await shows(page, made.toReversed());
});

test('my tasks are listed open ones first, then by due date, also those that become mine', async (t) => {
	const ben = await stack.person('Ben');
	const project = await ada.project('Attic', ben);
	const mine = (title, more) => ada.task(project, { title, assignee: ada.id, ...more });
	await mine('Whenever');
	await mine('Over', { status: 'done' });
	await mine('Later', { due_on: '2031-05-01' });
	const given = await ben.task(project, { title: 'Soon', due_on: '2030-05-01' });
	const visitor = await visit(t, stack);
	await visitor.logIn(ada, '#/');
	await shows(visitor.page, ['Later', 'Whenever', 'Over']);
	await ben.change(given, { assignee: ada.id });
	await shows(visitor.page, ['Soon', 'Later', 'Whenever', 'Over']);
});
