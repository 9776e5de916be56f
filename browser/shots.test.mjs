// Pictures of the page in shots/, to be looked at.
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { after, test } from 'node:test';
import { visit } from './visitor.mjs';
import { makeWorld } from './world.mjs';

const world = await makeWorld();
after(() => world.stack.stop());
const { ada, mina, project } = world;
const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const tasks = [];
for (const [title, status, assignee, priority, due, labels] of [
	['Print the start numbers', 'waiting', mina, 'medium', 9, ['shop']], ['Ask the fire brigade for cones', 'waiting', null, 'none', null, []],
	['Draw the course', 'in_progress', mina, 'high', 1, ['track']], ['Borrow a loudspeaker', 'in_progress', ada, 'none', 5, ['shop', 'music']],
	['Find a date', 'done', ada, 'high', -12, []], ['Tell the neighbours', 'done', mina, 'low', -4, ['people']], ['Order lemonade', 'waiting', ada, 'low', 12, ['shop']],
]) tasks.push(await ada.task(project, { title, status, assignee: assignee?.id ?? null, priority, due_on: due && day(due), labels }));
for (const task of tasks.slice(0, 4)) await mina.change(task, { status: 'done' });
await mina.change(tasks[1], { status: 'in_progress' });

const at = `#/projects/${project}`;
for (const colorScheme of ['light', 'dark']) {
	const visitor = await visit(null, world.stack, { colorScheme });
	const { page } = visitor;
	const shoot = async (name, options) => {
		await visitor.shoot(`${name}-${colorScheme}`, page, options);
		assert.ok((await stat(new URL(`shots/${name}-${colorScheme}.png`, import.meta.url))).size > 5000);
	};
	test(`pictures of the pages, ${colorScheme}`, async () => {
		await visitor.open('#/login', 'Log in');
		await shoot('log-in');
		await visitor.logIn(mina);
		await visitor.open(at, 'Autumn relay');
		await shoot('table');
		await visitor.open(`${at}/board`, 'Autumn relay');
		await shoot('board');
		await visitor.open(`${at}/overview`, 'Autumn relay');
		await shoot('overview', { fullPage: true });
		for (const [name, hash] of [['mine', '#/'], ['activity', `${at}/activity`], ['people', `${at}/people`], ['task', `${at}/tasks/${world.task.id}`], ['notifications', '#/notifications'], ['settings', '#/settings'], ['projects', '#/projects']]) {
			await visitor.open(hash);
			await shoot(name, { fullPage: true });
		}
	});

	test(`a picture of a conflict, ${colorScheme}`, async () => {
		const task = await ada.task(project, { title: 'Borrow a tent', description: 'From the scouts.' });
		await visitor.open(`${at}/tasks/${task.id}`, 'Borrow a tent');
		await visitor.hearNothing();
		await ada.change(task, { title: 'Rent a tent', description: 'The scouts need theirs.' });
		await page.getByLabel('Title', { exact: true }).fill('Borrow two tents');
		await page.getByLabel('Description', { exact: true }).fill('From the scouts. One for the lemonade.');
		await page.keyboard.press('Tab');
		await page.locator('form.conflict fieldset').nth(1).waitFor();
		await shoot('conflict', { fullPage: true });
		await page.getByRole('button', { name: 'Take theirs' }).click();
		await visitor.hearAgain();
		await page.locator('form.conflict').waitFor({ state: 'detached' });
	});

	test(`pictures as on a telephone, ${colorScheme}`, async () => {
		await page.setViewportSize({ width: 360, height: 740 });
		for (const [name, hash] of [['table-360', at], ['board-360', `${at}/board`], ['task-360', `${at}/tasks/${world.task.id}`], ['overview-360', `${at}/overview`]]) {
			await visitor.open(hash);
			await shoot(name, { fullPage: true });
		}
	});
}
