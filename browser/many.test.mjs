import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeMany, MANY, STATUSES } from './many.mjs';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';
import { until } from './wait.mjs';

const MOST_ROWS = 200;

const stack = await startStack();
after(() => stack.stop());
const ada = await stack.person('Ada');
const project = await makeMany(ada);
const visitor = await visit(null, stack);
const { page } = visitor;
// Counts the tasks in the document whenever it changes.
await visitor.context.addInitScript(() => {
	window.most = 0;
	new MutationObserver(() => { window.most = Math.max(window.most, document.querySelectorAll('[data-task]').length); }).observe(document, { childList: true, subtree: true });
});
await visitor.logIn(ada);

const mostRows = () => page.evaluate(() => window.most);
const number = (title) => Number(/\d+/.exec(title)[0]);

/** Scrolls on until the end has come, and gives the numbers of all tasks that were in the document. */
async function scrollToEnd() {
	const seen = new Set();
	for (let still = 0; still < 5;) {
		const titles = await page.evaluate(async () => {
			const found = [...document.querySelectorAll('[data-task] a.task-title')].map((it) => it.textContent);
			// The window scrolls, or each column by itself.
			for (const it of [document.scrollingElement, ...document.querySelectorAll('section ul')]) it.scrollBy(0, innerHeight * 3);
			await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
			return found;
		});
		const before = seen.size;
		for (const title of titles) seen.add(number(title));
		still = seen.size === before ? still + 1 : 0;
		if (still > 0) await page.waitForTimeout(100);
	}
	return seen;
}

test(`a table of ${MANY} tasks keeps at most ${MOST_ROWS} rows in the document while one scrolls to its end`, async () => {
	await visitor.open(`#/projects/${project}`, 'Many');
	const seen = await scrollToEnd();
	assert.ok(seen.has(0) && seen.has(MANY - 1), 'the first and the last were shown');
	assert.ok(await page.getByRole('link', { name: 'Task 0', exact: true }).isVisible());
	assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), String(MANY + 1));
	const most = await mostRows();
	assert.ok(most > 20 && most <= MOST_ROWS, `${most} rows were in the document at once`);
	// Down to the row itself, what is read out counts all of them.
	assert.equal(await page.getByRole('row').filter({ has: page.getByRole('link', { name: 'Task 0', exact: true }) }).getAttribute('aria-rowindex'), String(MANY + 1));
});

test('it is sorted and filtered over all tasks, not over those that are loaded', async () => {
	await visitor.open(`#/projects/${project}?sort=title`, 'Many');
	const first = page.locator('tbody [data-task]').first();
	await until('the lowest number comes first', async () => number(await first.textContent()) === 0, 30_000);
	await page.getByRole('columnheader', { name: 'Title' }).getByRole('button').click();
	await until('the highest number comes first', async () => number(await first.textContent()) === MANY - 1);
	assert.equal(await page.getByRole('columnheader', { name: 'Title' }).getAttribute('aria-sort'), 'descending');

	await page.getByRole('searchbox').fill('task 432');
	const named = Array.from({ length: MANY }, (_, it) => String(it)).filter((it) => it.includes('432')).length;
	await until(`${named} are left`, async () => (await page.locator('[data-task]').count()) === named);
	await page.getByRole('searchbox').fill('');
	await page.getByLabel('Status').first().selectOption({ label: 'Done' });
	await page.getByLabel('Labels').first().selectOption({ label: 'label 3' });
	await until('only these', async () => {
		const shown = await page.locator('tbody [data-task]').allTextContents();
		return shown.length > 0 && shown.every((it) => it.includes('Done') && it.includes('label 3'));
	});
	assert.match(page.url(), /status=done/);
	await page.reload();
	await until('a reload keeps what is asked for', async () => {
		const shown = await page.locator('tbody [data-task]').allTextContents();
		return shown.length > 0 && shown.every((it) => it.includes('Done') && it.includes('label 3'));
	}, 30_000);
	assert.ok((await mostRows()) <= MOST_ROWS);
});

test(`a board of ${MANY} tasks keeps at most ${MOST_ROWS} cards in the document while one scrolls to its end`, async () => {
	await visitor.open(`#/projects/${project}/board`, 'Many');
	const counted = async () => (await page.locator('h2 .count').allTextContents()).map((it) => Number(it.replace(/\D/g, '')));
	await until('all are counted', async () => (await counted()).reduce((sum, it) => sum + it, 0) === MANY, 30_000);
	assert.equal((await counted()).length, STATUSES.length);
	const seen = await scrollToEnd();
	for (const oldest of [0, 1, 2]) assert.ok(seen.has(oldest), `task ${oldest} was shown`);
	const most = await mostRows();
	assert.ok(most > 20 && most <= MOST_ROWS, `${most} cards were in the document at once`);
});
