import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const ben = await stack.person('Ben');

/** Ada's browser at the table of a project that she shares with Ben. */
async function at(t, ...titles) {
	const project = await ada.project('Boiler room', ben);
	const tasks = [];
	for (const title of titles) tasks.push(await ada.task(project, title));
	const visitor = await visit(t, stack);
	await visitor.logIn(ada, `#/projects/${project}`);
	const { page } = visitor;
	if (titles.length > 0) await page.getByRole('row').filter({ hasText: titles[0] }).waitFor();
	const row = (text) => page.getByRole('row').filter({ hasText: text });
	return { project, tasks, visitor, page, row };
}

/** Makes the page think that it is hidden, or seen again. */
const hide = (page, hidden) => page.evaluate((value) => {
	Object.defineProperty(document, 'hidden', { value, configurable: true });
	Object.defineProperty(document, 'visibilityState', { value: value ? 'hidden' : 'visible', configurable: true });
	document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

test('what somebody types is not overwritten by what others do', async (t) => {
	const { visitor, tasks: [task], page } = await at(t, 'Fix the pump');
	await visitor.open(`#/projects/${task.project}/tasks/${task.id}`, 'Fix the pump');
	await page.getByLabel('Description').fill('Half a sen');
	await ben.change(task, { title: 'Fix the old pump', description: 'It is the seal.' });
	await page.getByRole('heading', { level: 1, name: 'Fix the old pump' }).waitFor();
	assert.equal(await page.getByLabel('Description').inputValue(), 'Half a sen');
});

test('a tab that is not seen asks nothing, and catches up at once when it is', async (t) => {
	const { tasks: [task], page, row } = await at(t, 'Fix the pump');
	await page.waitForTimeout(500);
	await hide(page, true);
	await page.waitForTimeout(2500);
	const asked = [];
	page.on('request', (request) => asked.push(request.url()));
	await ben.change(task, { status: 'done' });
	await page.waitForTimeout(4000);
	assert.deepEqual(asked, []);
	const since = performance.now();
	await hide(page, false);
	await row('Fix the pump').filter({ hasText: 'Done' }).waitFor();
	assert.ok(performance.now() - since < 2000);
});

test('a tab that was loaded unseen misses nothing that happened before it was looked at', async (t) => {
	const { project, tasks: [task], visitor } = await at(t, 'Fix the pump');
	const page = visitor.page = await visitor.context.newPage();
	await page.addInitScript(() => { Object.defineProperty(document, 'hidden', { value: true, configurable: true }); });
	await page.goto(`/#/projects/${project}`);
	const row = page.getByRole('row').filter({ hasText: 'Fix the pump' });
	await row.waitFor();
	await page.waitForTimeout(6000);
	await ben.change(task, { status: 'done' });
	// Longer than the API lists the newest changes again and again.
	await page.waitForTimeout(7000);
	await hide(page, false);
	await row.filter({ hasText: 'Done' }).waitFor();
});

test('an answer that is lost loses no change', async (t) => {
	const { project, tasks: [task], page, row } = await at(t, 'Fix the pump');
	await page.waitForTimeout(2000);
	let lost = 0;
	await page.route((url) => /\/changes$|\/tasks\/[^/]+$/.test(url.pathname), (route) => (lost++ < 3 ? route.abort() : route.continue()));
	await ben.change(task, { status: 'in_progress' });
	await ben.task(project, { title: 'Oil the hinges', description: 'All of them.' });
	await row('Oil the hinges').waitFor();
	await row('Fix the pump').filter({ hasText: 'In progress' }).waitFor();
});

test('what happened while the network was away is caught up with', async (t) => {
	const { project, tasks: [task], visitor, row } = await at(t, 'Fix the pump');
	await visitor.page.waitForTimeout(2000);
	await visitor.context.setOffline(true);
	await ben.change(task, { status: 'in_progress' });
	await ben.change(task, { title: 'Fix the old pump' });
	await ben.task(project, { title: 'Oil the hinges', description: 'All of them.' });
	// Longer than the API lists the newest changes again and again.
	await visitor.page.waitForTimeout(7000);
	await visitor.context.setOffline(false);
	await row('Oil the hinges').waitFor();
	await row('Fix the old pump').filter({ hasText: 'In progress' }).waitFor();
});

test('a hundred changes at once all arrive', async (t) => {
	const { project, page } = await at(t);
	await ben.manyTasks(project, 130, (number) => ({ title: `Task ${number}` }));
	await until('all are there', async () => (await page.locator('.filters, search').textContent()).includes('130'), 20_000);
});
