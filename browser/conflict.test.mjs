import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const ben = await stack.person('Ben');
const project = await ada.project('Boiler room', ben);
const visitor = await visit(null, stack);
await visitor.logIn(ben);
const { page } = visitor;

/** Ben edits a task; his browser does not hear of Ada's edit before his own is refused. */
async function edited({ mine, theirs }) {
	const task = await ada.task(project, { title: 'Fix the pump', description: 'It drips.' });
	await visitor.open(`#/projects/${project}/tasks/${task.id}`, 'Fix the pump');
	await visitor.hearNothing();
	await ada.change(task, theirs);
	for (const [label, value] of Object.entries(mine)) {
		const field = page.getByLabel(label, { exact: true });
		if (label === 'Priority') await field.selectOption({ label: value });
		else await field.fill(value);
	}
	// A field saves itself when it is left.
	await page.keyboard.press('Tab');
	await visitor.hearAgain();
	return task;
}

test('a stale edit shows both versions side by side, and each field is chosen for itself', async () => {
	const task = await edited({
		mine: { Title: 'Replace the pump', Description: 'It drips a lot.' },
		theirs: { title: 'Fix the old pump', description: 'It has stopped.', priority: 'urgent' },
	});
	const card = page.locator('form.conflict');
	const title = card.getByRole('group', { name: 'Title' });
	const description = card.getByRole('group', { name: 'Description' });
	await title.waitFor();
	assert.match(await title.textContent(), /Fix the old pump/);
	assert.match(await title.textContent(), /Replace the pump/);
	assert.match(await description.textContent(), /It has stopped\./);
	assert.match(await description.textContent(), /It drips a lot\./);
	// Nothing of either was saved over the other.
	assert.equal((await ada.read(task)).title, 'Fix the old pump');

	await title.getByLabel(/Theirs/).check();
	await description.getByLabel(/Yours/).check();
	await card.getByRole('button', { name: 'Save' }).click();
	await card.waitFor({ state: 'detached' });
	await until('the choice is saved', async () => (await ada.read(task)).description === 'It drips a lot.');
	const now = await ada.read(task);
	assert.deepEqual([now.title, now.priority, now.version], ['Fix the old pump', 'urgent', 3]);
	await page.getByRole('heading', { level: 1, name: 'Fix the old pump' }).waitFor();
});

test('one can take what is there now', async () => {
	const task = await edited({ mine: { Title: 'Replace the pump' }, theirs: { title: 'Fix the old pump' } });
	await page.getByRole('button', { name: 'Take theirs' }).click();
	await page.getByRole('heading', { level: 1, name: 'Fix the old pump' }).waitFor();
	assert.equal(await page.getByLabel('Title', { exact: true }).inputValue(), 'Fix the old pump');
	const now = await ada.read(task);
	assert.deepEqual([now.title, now.version], ['Fix the old pump', 2]);
});

test('edits of different fields do not get in each other\'s way', async () => {
	const task = await edited({ mine: { Priority: 'High' }, theirs: { title: 'Fix the old pump' } });
	await until('both are saved', async () => {
		const { title, priority } = await ada.read(task);
		return title === 'Fix the old pump' && priority === 'high';
	});
	await page.getByRole('heading', { level: 1, name: 'Fix the old pump' }).waitFor();
	assert.equal(await page.locator('form.conflict').count(), 0);
});

test('a conflict in the table is marked on its row, which leads to both versions', async () => {
	const task = await ada.task(project, 'Sweep the floor');
	await visitor.open(`#/projects/${project}`, 'Boiler room');
	const row = page.getByRole('row').filter({ hasText: 'Sweep the floor' });
	await row.waitFor();
	await visitor.hearNothing();
	await ada.change(task, { status: 'done' });
	await row.getByRole('cell', { name: 'Waiting' }).click();
	await row.getByLabel('Status').selectOption({ label: 'In progress' });
	await row.getByRole('link', { name: 'Not saved' }).click();
	await visitor.hearAgain();
	const status = page.getByRole('group', { name: 'Status' });
	assert.match(await status.textContent(), /Done.*In progress/);
	// A reload loses neither.
	page.once('dialog', (dialog) => dialog.accept());
	await page.reload();
	await status.waitFor();
	assert.match(await status.textContent(), /Done.*In progress/);
	await status.getByLabel(/Yours/).check();
	await page.locator('form.conflict').getByRole('button', { name: 'Save' }).click();
	await until('mine is saved', async () => (await ada.read(task)).status === 'in_progress');
});
