import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());

test('the whole way from the log-in to a finished task goes by keyboard alone', async (t) => {
	const ada = await stack.person('Ada');
	const { page } = await visit(t, stack);
	const { keyboard } = page;
	const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent);
	const tabTo = async (name) => {
		for (let presses = 0; presses < 40; presses++) {
			if ((await focused()).trim() === name) return;
			await keyboard.press('Tab');
		}
		assert.fail(`Tab does not lead to ${name}`);
	};
	const heading = (name) => page.getByRole('heading', { level: 1, name }).waitFor();
	const task = async () => (await ada.call('GET', '/v1/tasks?assignee=me')).items[0] ?? {};
	const becomes = (name, value) => until(`${name} is ${value}`, async () => String((await task())[name]) === String(value));
	await page.goto('/');
	await heading('Log in');

	await tabTo('Email');
	await keyboard.type(ada.email);
	await keyboard.press('Tab');
	await keyboard.type(ada.password);
	await keyboard.press('Enter');
	await heading('My tasks');

	await keyboard.press('g');
	await keyboard.press('p');
	await heading('Projects');
	await tabTo('Project name');
	await keyboard.type('Boiler room');
	await keyboard.press('Enter');
	await heading('Boiler room');

	// `?` lists what holds on this page; while it is open, keys do nothing else.
	await keyboard.press('?');
	const list = page.getByRole('dialog');
	await list.waitFor();
	const said = await list.textContent();
	for (const action of ['New task', 'Status', 'Assignee', 'Due', 'Priority', 'Labels', 'Delete', 'Undo', 'Board', 'My tasks', 'Settings']) {
		if (action !== 'Status') assert.ok(said.includes(action), `${action} is among the shortcuts`);
	}
	await keyboard.press('n');
	assert.equal(await page.getByRole('dialog').count(), 1);
	await keyboard.press('Escape');
	await list.waitFor({ state: 'detached' });

	await keyboard.press('n');
	await page.getByRole('dialog', { name: 'New task' }).waitFor();
	await tabTo('Title');
	await keyboard.type('Fix the pump');
	await tabTo('Assignee');
	await keyboard.type('Ada');
	await tabTo('Title');
	await keyboard.press('Enter');
	await becomes('title', 'Fix the pump');
	const row = page.getByRole('row').filter({ hasText: 'Fix the pump' });
	await row.waitFor();

	// Cell by cell, in place.
	await keyboard.press('j');
	await until('the row has the focus', () => row.evaluate((it) => it === document.activeElement));
	await keyboard.press('e');
	await keyboard.type('Fix the old pump');
	await keyboard.press('Enter');
	await becomes('title', 'Fix the old pump');
	await keyboard.press('d');
	// The same in whatever order the browser asks for day and month.
	await keyboard.type('11112030');
	await keyboard.press('Enter');
	await becomes('due_on', '2030-11-11');
	await keyboard.press('l');
	await keyboard.type('cellar');
	await keyboard.press('Enter');
	await keyboard.press('Enter');
	await becomes('labels', 'cellar');
	await keyboard.press('p');
	await keyboard.type('Hi');
	await keyboard.press('Enter');
	await becomes('priority', 'high');
	await keyboard.press('a');
	// The first closes the list of choices, the second the cell.
	await keyboard.press('Escape');
	await keyboard.press('Escape');
	await until('the row has the focus', () => page.evaluate(() => document.activeElement.matches('[data-task]')));
	await keyboard.press('2');
	await becomes('status', 'in_progress');

	// Deleted, and brought back.
	await until('the row has the focus', () => page.evaluate(() => document.activeElement.matches('[data-task]')));
	await keyboard.press('Delete');
	await page.getByRole('row').filter({ hasText: 'pump' }).waitFor({ state: 'detached' });
	await keyboard.press('z');
	await page.getByRole('row').filter({ hasText: 'pump' }).waitFor();

	// On the board it is moved by keys.
	await keyboard.press('b');
	const column = (name) => page.getByRole('region', { name });
	await column('In progress').getByRole('link', { name: 'Fix the old pump' }).waitFor();
	await keyboard.press('j');
	await keyboard.press('Shift+ArrowLeft');
	await column('Waiting').getByRole('link', { name: 'Fix the old pump' }).waitFor();
	await becomes('status', 'waiting');
	// Two keys move it twice, also where the first is not drawn yet.
	await page.evaluate(() => {
		const key = () => new KeyboardEvent('keydown', { key: 'ArrowRight', shiftKey: true, bubbles: true, cancelable: true });
		for (let press = 0; press < 2; press++) document.activeElement.dispatchEvent(key());
	});
	await column('Done').getByRole('link', { name: 'Fix the old pump' }).waitFor();
	await becomes('status', 'done');

	// Into the task, a word added, and back to where one was.
	await keyboard.press('Enter');
	await heading('Fix the old pump');
	await tabTo('Description');
	await keyboard.type('A new seal was enough.');
	await keyboard.press('Tab');
	await until('the description is saved', async () => (await ada.read(await task())).description === 'A new seal was enough.');
	// Escape leaves the field, and then the task.
	await keyboard.press('Escape');
	await keyboard.press('Escape');
	await heading('Boiler room');
	assert.match(page.url(), /\/board$/);

	await keyboard.press('g');
	await keyboard.press('s');
	await heading('Settings');
	await tabTo('Log out');
	await keyboard.press('Enter');
	await heading('Log in');
});

test('where the focus is can be seen, on every element that Tab reaches', async (t) => {
	const eva = await stack.person('Eva');
	const project = await eva.project('Night shift');
	await eva.task(project, 'Sweep the floor');
	const visitor = await visit(t, stack);
	await visitor.logIn(eva);
	const { page } = visitor;
	for (const hash of [`#/projects/${project}`, `#/projects/${project}/board`, '#/settings']) {
		await visitor.open(hash);
		const reached = new Set();
		for (let presses = 0; presses < 60; presses++) {
			await page.keyboard.press('Tab');
			const { name, isSeen, isBody } = await page.evaluate(() => {
				const element = document.activeElement;
				const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
				return { name: element.outerHTML.slice(0, 150), isSeen: (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none', isBody: element === document.body };
			});
			if (isBody || reached.has(name)) break;
			reached.add(name);
			assert.ok(isSeen, `${hash}: ${name} does not show that it has the focus`);
		}
		assert.ok(reached.size > 8, `${hash}: Tab reaches ${reached.size}`);
	}
});

test('keys typed into a field, with modifiers, or while a syllable is composed are no shortcuts', async (t) => {
	const rosa = await stack.person('Rosa');
	const project = await rosa.project('Day shift');
	const visitor = await visit(t, stack);
	await visitor.logIn(rosa, `#/projects/${project}`);
	const { page } = visitor;
	await page.keyboard.press('/');
	await page.keyboard.type('n?gs');
	assert.equal(await page.getByRole('searchbox').inputValue(), 'n?gs');
	assert.equal(await page.getByRole('dialog').count(), 0);
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press('Control+n').catch(() => {});
	await page.evaluate(() => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', code: 'KeyN', isComposing: true, bubbles: true })));
	assert.equal(await page.getByRole('dialog').count(), 0);
	// In a Hangul layout the key tells where it is.
	await page.evaluate(() => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ㅜ', code: 'KeyN', bubbles: true, cancelable: true })));
	await page.getByRole('dialog').waitFor();
});
