import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PASSWORD, startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());

/** Signs up by the page and the mail, and logs in. */
async function join(visitor, name, email) {
	await visitor.page.goto('/');
	await visitor.page.getByRole('link', { name: 'Sign up' }).click();
	await visitor.page.getByLabel('Name').fill(name);
	await visitor.page.getByLabel('Email').fill(email);
	await visitor.page.getByRole('button', { name: 'Sign up' }).click();
	await visitor.page.getByRole('heading', { name: 'Check your inbox' }).waitFor();
	const page = await visitor.followMail(email, '', '/#/verify?token=');
	await page.getByLabel('New password', { exact: true }).fill(PASSWORD);
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByText('Your password is set.').waitFor();
	await page.getByLabel('Email').fill(email);
	await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('heading', { level: 1, name: 'My tasks' }).waitFor();
	await visitor.page.close();
	visitor.page = page;
	return page;
}

const waited = [];

/** How long it takes after something was done until it is there, or gone. A machine that is busy with other things delays one or the other, but not most. */
const within = async (what, act, locator, state = 'visible') => {
	await act();
	const since = performance.now();
	await locator.waitFor({ state });
	waited.push([performance.now() - since, what]);
};

test('two people hand work over: from the sign-up to the mail about it, the notification and the history', async (t) => {
	const [ada, ben] = await Promise.all([visit(t, stack), visit(t, stack)]);
	const [hers, his] = await Promise.all([join(ada, 'Ada', 'ada@example.com'), join(ben, 'Ben', 'ben@example.com')]);

	await hers.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Projects' }).click();
	await hers.getByLabel('Project name').fill('Boiler room');
	await hers.getByRole('button', { name: 'Create' }).click();
	await hers.getByRole('heading', { level: 1, name: 'Boiler room' }).waitFor();
	await hers.getByRole('link', { name: 'People' }).click();
	await hers.getByRole('main').getByLabel('Email').fill('ben@example.com');
	await hers.getByRole('button', { name: 'Send invitation' }).click();
	await hers.getByText('Invitation sent to ben@example.com').waitFor();

	// Ben follows the mail's link, in a tab of its own.
	await his.close();
	const page = ben.page = await ben.followMail('ben@example.com', 'Boiler room', '/#/invitations');
	await page.getByRole('button', { name: 'Accept: Boiler room' }).click();
	await page.getByRole('heading', { level: 1, name: 'Boiler room' }).waitFor();
	await page.getByRole('link', { name: 'Board' }).click();
	await page.getByRole('region', { name: 'Waiting' }).waitFor();

	await hers.getByRole('link', { name: 'Table' }).click();
	await hers.getByText('No tasks').waitFor();
	await hers.getByRole('button', { name: 'New task' }).click();
	const dialog = hers.getByRole('dialog', { name: 'New task' });
	await dialog.getByLabel('Title').fill('Fix the pump');
	await dialog.getByLabel('Description').fill('It drips.');
	await dialog.getByLabel('Assignee').selectOption({ label: 'Ben' });
	await dialog.getByLabel('Priority').selectOption({ label: 'High' });
	await dialog.getByRole('textbox', { name: 'Labels' }).fill('cellar');
	await dialog.getByRole('button', { name: 'Create task' }).click();
	await hers.getByRole('row').filter({ hasText: 'Fix the pump' }).filter({ hasText: 'Ben' }).waitFor();

	const card = page.getByRole('region', { name: 'Waiting' }).getByRole('listitem').filter({ hasText: 'Fix the pump' }).first();
	await within('a task of hers on his board', () => {}, card);
	assert.match(await card.textContent(), /High.*cellar/);

	// He takes it up by dragging it over.
	await card.dragTo(page.getByRole('region', { name: 'In progress' }));
	await page.getByRole('region', { name: 'In progress' }).getByRole('link', { name: 'Fix the pump' }).waitFor();
	const moved = hers.getByRole('row').filter({ hasText: 'Fix the pump' }).filter({ hasText: 'In progress' });
	await within('his move in her table', () => {}, moved);

	// She is told by mail, and follows its link to the task.
	const told = await ada.followMail('ada@example.com', 'Fix the pump', '/tasks/');
	await told.getByRole('heading', { level: 1, name: 'Fix the pump' }).waitFor();
	assert.equal(await told.getByLabel('Status').inputValue(), 'in_progress');
	const entry = told.getByRole('listitem').filter({ hasText: 'Ben made changes' });
	assert.match(await entry.textContent(), /Status.*Waiting.*In progress/);
	await entry.getByText('Who was told').click();
	await entry.getByRole('listitem').filter({ hasText: /Ada.*was mailed/ }).waitFor();
	const first = told.getByRole('listitem').filter({ hasText: 'Ada created this task' });
	await first.getByText('Who was told').click();
	await first.getByRole('listitem').filter({ hasText: /Ben.*was mailed/ }).waitFor();

	// The same is among her notifications, until she has read it.
	await told.getByRole('link', { name: /^Updates/ }).click();
	await told.getByRole('heading', { level: 1, name: 'Updates' }).waitFor();
	const notification = told.getByRole('listitem').filter({ hasText: 'Fix the pump' });
	assert.match(await notification.textContent(), /Ben/);
	await notification.getByRole('button', { name: /Mark as read/ }).click();
	await notification.getByRole('button', { name: /Mark as read/ }).waitFor({ state: 'detached' });

	// He finishes it among his own tasks, and it is in the project's activity.
	await page.getByRole('link', { name: 'My tasks' }).click();
	const mine = page.getByRole('row').filter({ hasText: 'Fix the pump' });
	await mine.filter({ hasText: 'Boiler room' }).waitFor();
	await mine.getByRole('cell', { name: 'In progress' }).click();
	await mine.getByLabel('Status').selectOption({ label: 'Done' });
	await mine.getByRole('cell', { name: 'Done' }).waitFor();
	await hers.getByRole('row').filter({ hasText: 'Fix the pump' }).filter({ hasText: 'Done' }).waitFor();
	await hers.getByRole('link', { name: 'Activity' }).click();
	await hers.getByRole('listitem').filter({ hasText: /Ben made changes/ }).filter({ hasText: 'Fix the pump' }).filter({ hasText: /In progress.*Done/ }).waitFor();
});

test('what others create, edit and delete is there without a reload, in the table, on the board and on the task\'s page', async (t) => {
	const [cleo, dan] = [await stack.person('Cleo'), await stack.person('Dan')];
	const project = await cleo.project('Engine room', dan);
	const [task, other] = [await cleo.task(project, 'Fix the pump'), await cleo.task(project, 'Sweep the floor')];
	const visitor = await visit(t, stack);
	await visitor.logIn(cleo, `#/projects/${project}`);
	const { page } = visitor;
	const row = (text) => page.getByRole('row').filter({ hasText: text });
	await row('Fix the pump').waitFor();
	await within('an edit', () => dan.change(task, { title: 'Fix the old pump', assignee: dan.id, labels: ['cellar'] }), row('Fix the old pump').filter({ hasText: 'Dan' }).filter({ hasText: 'cellar' }));
	await within('a deletion', () => dan.call('DELETE', `/v1/projects/${project}/tasks/${other.id}`, undefined, { 'if-match': '*' }), row('Sweep the floor'), 'detached');
	await within('a creation', () => dan.task(project, 'Oil the hinges'), row('Oil the hinges'));
	await page.getByRole('link', { name: 'Board' }).click();
	const done = page.getByRole('region', { name: 'Done' });
	await done.waitFor();
	await within('a move', () => dan.change(task, { status: 'done' }), done.getByRole('link', { name: 'Fix the old pump' }));
	await done.getByRole('link', { name: 'Fix the old pump' }).click();
	await page.getByRole('heading', { level: 1, name: 'Fix the old pump' }).waitFor();
	await within('an edit of the title', () => dan.change(task, { title: 'Fix all pumps', description: 'There are three.' }), page.getByRole('heading', { level: 1, name: 'Fix all pumps' }));
	await until('the fields follow', async () => (await page.getByLabel('Description').inputValue()) === 'There are three.');
	await page.getByRole('listitem').filter({ hasText: 'Dan' }).filter({ hasText: /Fix the old pump.*Fix all pumps/ }).first().waitFor();
});

test('most of this was there within two seconds, and all of it within three', (t) => {
	waited.sort(([a], [b]) => a - b);
	t.diagnostic(waited.map(([took, what]) => `${what}: ${took.toFixed(0)} ms`).join(', '));
	assert.ok(waited.length >= 7);
	assert.ok(waited[Math.floor(waited.length / 2)][0] < 2000, 'the median');
	assert.ok(waited.at(-1)[0] < 3000, waited.at(-1)[1]);
});
