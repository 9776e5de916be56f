import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const ben = await stack.person('Ben');

/** Ada's browser at a project that she shares with Ben, with tasks of these fields, the last made on top. */
async function at(t, fields, hash = '') {
	const project = await ada.project('Boiler room', ben);
	const tasks = [];
	for (const it of fields) tasks.push(await ada.task(project, it));
	const visitor = await visit(t, stack);
	await visitor.logIn(ada, `#/projects/${project}${hash}`);
	const { page } = visitor;
	const row = (text) => page.locator('[data-task]').filter({ hasText: text });
	/** Opens a cell, and types in it without an end. */
	const type = async (title, text) => {
		await row(title).locator('[data-name=title]').click({ position: { x: 200, y: 8 } });
		await page.locator('.edit input:focus').fill(text);
	};
	return { project, tasks, visitor, page, row, type };
}

const titles = (page) => page.locator('[data-task] a.task-title').allTextContents();
const saved = (task, title) => until(`${title} is saved`, async () => (await ada.read(task)).title === title);

test('what is typed in a cell is saved when its row is scrolled away', async (t) => {
	const { tasks, page, type } = await at(t, Array.from({ length: 110 }, (_, index) => `Task ${index} of many`));
	await type('Task 109 of many', 'Fix the pump');
	await page.mouse.move(600, 500);
	await page.mouse.wheel(0, 20_000);
	await saved(tasks[109], 'Fix the pump');
});

test('what is typed in a cell is saved when another takes its row off the list', async (t) => {
	const { tasks, page, row, type } = await at(t, ['Fix the pump', 'Sweep the floor'], '?status=waiting');
	await type('Fix the pump', 'Fix the old pump');
	await ben.change(tasks[0], { status: 'done' });
	await saved(tasks[0], 'Fix the old pump');
	await row('Fix the').waitFor({ state: 'detached' });
	// Keys that were meant for the cell reach no other row.
	await page.keyboard.press('3');
	await page.keyboard.press('Delete');
	assert.equal((await ada.read(tasks[1])).status, 'waiting');
	assert.equal(await row('Sweep the floor').count(), 1);
	assert.equal((await ada.read(tasks[0])).status, 'done');
});

test('what is typed in a cell can be copied when another deletes the task', async (t) => {
	const { tasks, page, type } = await at(t, ['Fix the pump']);
	await type('Fix the pump', 'Fix the old pump');
	await ben.call('DELETE', `/v1/projects/${tasks[0].project}/tasks/${tasks[0].id}`, undefined, { 'if-match': '*' });
	await page.locator('#outbox').getByText('Fix the old pump').waitFor();
});

test('what is typed in a cell is saved when one goes back', async (t) => {
	const { project, tasks, visitor, page, type } = await at(t, ['Fix the pump']);
	await page.evaluate(() => { location.hash = '#/projects'; });
	await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
	await page.evaluate((id) => { location.hash = `#/projects/${id}`; }, project);
	await page.getByRole('heading', { level: 1, name: 'Boiler room' }).waitFor();
	await visitor.drawn();
	await type('Fix the pump', 'Fix the old pump');
	await page.goBack();
	await saved(tasks[0], 'Fix the old pump');
});

test('a correction of what was refused is kept when its row is scrolled away', async (t) => {
	const { tasks, page, row, type } = await at(t, Array.from({ length: 110 }, (_, index) => `Task ${index} of many`));
	await type('Task 109 of many', 'x'.repeat(2000));
	await page.keyboard.press('Enter');
	await page.locator('.edit [aria-invalid]').fill('Fix the pump');
	await page.mouse.move(600, 500);
	await page.mouse.wheel(0, 20_000);
	await saved(tasks[109], 'Fix the pump');
	await page.mouse.wheel(0, -20_000);
	await row('Fix the pump').waitFor();
	assert.equal(await page.locator('.edit').count(), 0);
});

test('keys act on a task only while it has the focus', async (t) => {
	const { tasks, page, row } = await at(t, ['Fix the pump']);
	await row('Fix the pump').focus();
	await page.keyboard.press('2');
	await until('it moves', async () => (await ada.read(tasks[0])).status === 'in_progress');
	await page.getByRole('link', { name: 'My tasks' }).focus();
	for (const key of ['3', 'Delete', 'e']) await page.keyboard.press(key);
	await page.waitForTimeout(300);
	assert.equal((await ada.read(tasks[0])).status, 'in_progress');
	assert.equal(await row('Fix the pump').locator('.edit').count(), 0);
});

test('keys of a page that was left before it came do nothing', async (t) => {
	const { project, tasks, visitor: { page } } = await at(t, ['Fix the pump']);
	const other = await ada.project('Bakery');
	await page.goto('/#/projects');
	await page.getByRole('link', { name: 'Bakery' }).waitFor();
	let answer;
	await page.route((url) => url.pathname === `/v1/projects/${project}/tasks`, async (route) => {
		await new Promise((resolve) => { answer = resolve; });
		await route.continue();
	});
	await page.evaluate((id) => { location.hash = `#/projects/${id}`; }, project);
	await until('its tasks are asked for', () => answer);
	await page.evaluate((id) => { location.hash = `#/projects/${id}`; }, other);
	await page.getByRole('heading', { level: 1, name: 'Bakery' }).waitFor();
	const late = page.waitForResponse((it) => it.url().includes(`${project}/tasks`));
	answer();
	await late;
	await page.waitForTimeout(300);
	await page.keyboard.press('j');
	await page.keyboard.press('Delete');
	await page.keyboard.press('n');
	await page.getByRole('dialog', { name: 'New task' }).waitFor();
	await page.waitForTimeout(300);
	assert.equal((await ada.read(tasks[0])).version, 1);
});

test('an address that sorts by what there is not is sorted as ever', async (t) => {
	for (const name of ['constructor', '-__proto__', 'toString', 'nonsense']) {
		const { page, row } = await at(t, ['Fix the pump'], `?sort=${name}`);
		await row('Fix the pump').waitFor();
		await page.getByRole('columnheader', { name: 'Title' }).getByRole('button').click();
		await until('it is sorted', () => page.url().endsWith('?sort=title'));
	}
});

test('a click beside the tabs does nothing', async (t) => {
	const { page, row } = await at(t, ['Fix the pump']);
	const { width, height } = await page.locator('nav.tabs').boundingBox();
	await page.locator('nav.tabs').click({ position: { x: width - 5, y: height / 2 } });
	assert.equal(await row('Fix the pump').count(), 1);
});

test('labels with commas and with spaces are edited and found as they are', async (t) => {
	const { tasks, page, row } = await at(t, [{ title: 'Fix the pump', labels: ['a,b'] }, { title: 'Sweep the floor', labels: ['two  spaces'] }]);
	await row('Fix the pump').focus();
	await page.keyboard.press('l');
	await page.getByRole('button', { name: 'Remove a,b' }).click();
	await page.locator('.edit input').fill('a');
	await page.keyboard.press('Enter');
	await page.keyboard.type('b');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Enter');
	await until('both are saved', async () => (await ada.read(tasks[0])).labels.join(' ') === 'a b');
	await page.getByRole('combobox', { name: 'Labels' }).selectOption({ value: 'two  spaces' });
	await until('one is left', async () => (await titles(page)).join() === 'Sweep the floor');
});

test('what has no value comes last, whichever way one sorts', async (t) => {
	const { page } = await at(t, [{ title: 'None' }, { title: 'A', labels: ['a'] }, { title: 'B', labels: ['b'] }], '?sort=labels');
	await until('a first', async () => (await titles(page)).join() === 'A,B,None');
	await page.getByRole('combobox', { name: 'Sort' }).selectOption('-labels');
	await until('b first', async () => (await titles(page)).join() === 'B,A,None');
});

test('my tasks begin with where to find some, follow all projects, and sort by their names', async (t) => {
	const cleo = await stack.person('Cleo');
	const visitor = await visit(t, stack);
	await visitor.logIn(cleo);
	const { page } = visitor;
	await page.locator('.empty').getByRole('link', { name: 'Projects' }).waitFor();
	const made = [];
	for (const name of ['Delta', 'Alpha', 'Echo', 'Bravo', 'Charlie']) {
		const project = await cleo.project(name, ben);
		made.push(await ben.task(project, { title: `In ${name}`, assignee: cleo.id }));
	}
	await until('all are there', async () => (await titles(page)).length === 5);
	await ben.change(made[4], { title: 'In Charlie now' });
	await ben.change(made[3], { assignee: null });
	await until('they are followed', async () => (await titles(page)).sort().join() === 'In Alpha,In Charlie now,In Delta,In Echo');
	await visitor.open('#/', 'My tasks');
	await page.getByRole('columnheader', { name: 'Project' }).getByRole('button').click();
	await until('they are sorted', async () => (await titles(page)).join() === 'In Alpha,In Charlie now,In Delta,In Echo');
	assert.equal(await page.getByRole('combobox', { name: 'Sort' }).inputValue(), 'project');
});

test('a new task that was typed is not lost by leaving the page', async (t) => {
	const { page } = await at(t, ['Fix the pump']);
	await page.keyboard.press('n');
	await page.getByRole('dialog').getByLabel('Title').fill('Sweep the floor');
	await page.keyboard.press('Escape');
	page.once('dialog', (it) => it.dismiss());
	await page.getByRole('link', { name: 'Board' }).click();
	await page.keyboard.press('n');
	assert.equal(await page.getByRole('dialog').getByLabel('Title').inputValue(), 'Sweep the floor');
});
