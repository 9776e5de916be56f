import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const ben = await stack.person('Ben');

test('each refused field of a task keeps its word until it is mended', async (t) => {
	const project = await ada.project('Boiler room');
	const task = await ada.task(project, 'Sweep the floor');
	const visitor = await visit(t, stack);
	const { page } = visitor;
	await visitor.logIn(ada, `#/projects/${project}/tasks/${task.id}`);
	const wrong = (name) => page.locator(`.field-${name} .error`).filter({ hasText: /\w/ });
	await page.getByLabel('Title').fill('');
	await page.keyboard.press('Tab');
	await wrong('title').waitFor();
	await page.getByLabel('Labels').last().fill('x'.repeat(41));
	await page.keyboard.press('Enter');
	await wrong('labels').waitFor();
	await page.waitForTimeout(500);
	assert.equal(await wrong('title').count(), 1);
	await page.locator('#outbox').getByRole('link', { name: 'Sweep the floor' }).waitFor();
	await page.getByLabel('Title').fill('Sweep all floors');
	await page.keyboard.press('Tab');
	await until('the title is saved', async () => (await ada.read(task)).title === 'Sweep all floors');
	await wrong('title').waitFor({ state: 'detached' });
	assert.equal(await wrong('labels').count(), 1);
});

test('a role that is refused is not shown as given, and an invitation half typed stays when somebody is removed', async (t) => {
	const project = await ada.project('Attic', ben);
	const visitor = await visit(t, stack);
	const { page } = visitor;
	page.on('dialog', (dialog) => dialog.accept());
	await visitor.logIn(ada, `#/projects/${project}/people`);
	await page.getByLabel('Role: Ada').selectOption('viewer');
	await page.locator('.error').filter({ hasText: /\w/ }).waitFor();
	assert.equal(await page.getByLabel('Role: Ada').inputValue(), 'owner');
	await page.getByLabel('Email').fill('cy@exam');
	await page.getByRole('button', { name: 'Remove: Ben' }).click();
	await page.getByRole('button', { name: 'Remove: Ben' }).waitFor({ state: 'detached' });
	assert.equal(await page.getByLabel('Email').inputValue(), 'cy@exam');
});
