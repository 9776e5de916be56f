import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const project = await ada.project('Boiler room');
const visitor = await visit(null, stack);
const { page, context } = visitor;
page.on('dialog', (dialog) => dialog.accept());
await visitor.logIn(ada);

const isEdit = (url) => /\/tasks\/[^/]+$/.test(url.pathname);
const banner = page.locator('#outbox').filter({ hasText: /\w/ });

/** The row of a task of that title in the table, with the task. */
async function rowOf(title) {
	const task = await ada.task(project, title);
	await visitor.open(`#/projects/${project}`, 'Boiler room');
	const row = page.getByRole('row').filter({ hasText: title });
	await row.waitFor();
	return { task, row };
}

async function choose(row, label, from, to) {
	await row.getByRole('cell', { name: from }).first().click();
	await row.getByLabel(label).selectOption({ label: to });
	await row.getByRole('cell', { name: to }).waitFor();
}

async function saved(task, fields) {
	await until(`${JSON.stringify(fields)} is saved`, async () => {
		const now = await ada.read(task);
		return Object.entries(fields).every(([name, value]) => now[name] === value);
	}, 20_000);
	await banner.waitFor({ state: 'detached', timeout: 10_000 });
}

test('an edit made offline shows at once, is said not to be saved, and is sent when the network is back', async () => {
	const { task, row } = await rowOf('Sweep the floor');
	await context.setOffline(true);
	await choose(row, 'Status', 'Waiting', 'In progress');
	await banner.waitFor();
	await page.waitForTimeout(1500);
	assert.match(await row.textContent(), /In progress/);
	assert.equal((await ada.read(task)).status, 'waiting');
	await context.setOffline(false);
	await saved(task, { status: 'in_progress', version: 2 });
});

test('several edits of several tasks made offline all arrive, those of one task in their order', async () => {
	const one = await rowOf('Oil the hinges');
	const two = await rowOf('Paint the door');
	const first = page.getByRole('row').filter({ hasText: 'Oil the hinges' });
	await context.setOffline(true);
	await choose(first, 'Status', 'Waiting', 'In progress');
	await choose(two.row, 'Status', 'Waiting', 'Done');
	await choose(first, 'Status', 'In progress', 'Done');
	await banner.filter({ hasText: '2' }).waitFor();
	await context.setOffline(false);
	await saved(one.task, { status: 'done' });
	await saved(two.task, { status: 'done' });
});

test('an edit that the API answers with a fault is kept, and tried again', async () => {
	const { task, row } = await rowOf('Count the keys');
	let tries = 0;
	await page.route(isEdit, (route) => (route.request().method() === 'PATCH' && ++tries < 3 ? route.fulfill({ status: 503, body: '<html>' }) : route.continue()));
	await choose(row, 'Status', 'Waiting', 'Done');
	await banner.waitFor();
	await saved(task, { status: 'done', version: 2 });
	assert.equal(tries, 3);
	await page.unroute(isEdit);
});

test('an edit whose answer was lost is neither made twice nor taken for a conflict', async () => {
	const { task, row } = await rowOf('Change the filter');
	let lost = 0;
	await page.route(isEdit, async (route) => {
		if (route.request().method() !== 'PATCH' || lost++) return route.continue();
		await route.fetch();
		await route.abort();
	});
	await choose(row, 'Status', 'Waiting', 'In progress');
	await until('it is sent again', () => lost > 1);
	await saved(task, { status: 'in_progress', version: 2 });
	assert.equal(await page.getByText('Not saved').count(), 0);
	await page.unroute(isEdit);
});

test('a reload loses no edit that is not saved yet', async () => {
	const { task, row } = await rowOf('Wax the stairs');
	await page.route(isEdit, (route) => (route.request().method() === 'PATCH' ? route.abort() : route.continue()));
	await choose(row, 'Status', 'Waiting', 'Done');
	await banner.waitFor();
	await page.reload();
	await row.getByRole('cell', { name: 'Done' }).waitFor();
	await banner.waitFor();
	assert.equal((await ada.read(task)).status, 'waiting');
	await page.unroute(isEdit);
	await saved(task, { status: 'done', version: 2 });
});

test('a new task whose answer was lost stays typed, and is made once', async () => {
	await visitor.open(`#/projects/${project}`, 'Boiler room');
	const create = (url) => url.pathname.endsWith('/tasks');
	let lost = 0;
	await page.route(create, async (route) => {
		if (route.request().method() !== 'POST' || lost++) return route.continue();
		await route.fetch();
		await route.abort();
	});
	await page.getByRole('button', { name: 'New task' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Title').fill('Bleed the radiators');
	await dialog.getByLabel('Description').fill('All of them.');
	await dialog.getByRole('button', { name: 'Create task' }).click();
	await dialog.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
	assert.equal(await dialog.getByLabel('Title').inputValue(), 'Bleed the radiators');
	await dialog.getByRole('button', { name: 'Create task' }).click();
	await page.getByRole('row').filter({ hasText: 'Bleed the radiators' }).waitFor();
	await page.unroute(create);
	const { items } = await ada.call('GET', `/v1/projects/${project}/tasks`);
	assert.equal(items.filter((it) => it.title === 'Bleed the radiators').length, 1);
});

test('what is typed on a task\'s page offline is there and sent later', async () => {
	const task = await ada.task(project, 'Call the plumber');
	await visitor.open(`#/projects/${project}/tasks/${task.id}`, 'Call the plumber');
	await context.setOffline(true);
	await page.getByLabel('Description').fill('Number is on the fridge.');
	await page.keyboard.press('Tab');
	await banner.waitFor();
	assert.equal(await page.getByLabel('Description').inputValue(), 'Number is on the fridge.');
	await context.setOffline(false);
	await saved(task, { description: 'Number is on the fridge.' });
});

test('what the API refuses is told beside the cell, with what was typed still in it', async () => {
	const { task, row } = await rowOf('Measure the room');
	const title = 'x'.repeat(201);
	await row.focus();
	await page.keyboard.press('e');
	await row.getByLabel('Title').fill(title);
	await page.keyboard.press('Enter');
	const input = page.getByRole('row').getByLabel('Title');
	await page.locator('tr [aria-invalid=true]').waitFor();
	assert.equal(await input.inputValue(), title);
	const described = (await input.getAttribute('aria-describedby')).split(' ').at(-1);
	assert.match(await page.locator(`#${described}`).textContent(), /200/);
	await input.fill('Measure both rooms');
	await page.keyboard.press('Enter');
	await saved(task, { title: 'Measure both rooms' });
});
