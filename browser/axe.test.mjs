import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import axe from 'axe-core';
import { visit } from './visitor.mjs';
import { insidePages, makeWorld, OUTSIDE } from './world.mjs';

const world = await makeWorld();
after(() => world.stack.stop());

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

const guest = await visit(null, world.stack);
const visitor = await visit(null, world.stack);
await visitor.logIn(world.ada);

/** What axe finds on a page as it is, and what sticks out of it, in both themes and at both widths. */
async function judge(page, name) {
	if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
	for (const size of [WIDE, NARROW]) {
		await page.setViewportSize(size);
		for (const colorScheme of ['light', 'dark']) {
			await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
			const found = await page.evaluate(async () => {
				const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
				return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')}`));
			});
			assert.deepEqual(found, [], `${name}, ${colorScheme}, ${size.width} px`);
		}
		assert.deepEqual(await page.evaluate(sticksOut), [], `${name} at ${size.width} px`);
	}
	await page.setViewportSize(WIDE);
	await page.emulateMedia({ colorScheme: 'light' });
}

/** What reaches beyond the right edge of the window and is not in something that scrolls by itself. */
function sticksOut() {
	const width = document.documentElement.clientWidth;
	const scrolls = (element) => element !== null && element !== document.body && (/auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
	const out = [...document.body.querySelectorAll('*')].filter((it) => it.checkVisibility() && it.getBoundingClientRect().right > width + 1 && !scrolls(it.parentElement));
	const wide = document.documentElement.scrollWidth > width ? [`the page is ${document.documentElement.scrollWidth} px wide`] : [];
	return [...wide, ...out.map((it) => it.outerHTML.slice(0, 120))];
}

describe('without a session', () => {
	for (const hash of OUTSIDE) {
		test(`axe finds nothing on ${hash}`, async () => {
			await guest.open(hash);
			await judge(guest.page, hash);
		});
	}
	test('axe finds nothing on what is refused', async () => {
		for (const hash of ['#/login', '#/sign-up', '#/verify?token=x']) {
			await guest.open(hash);
			await guest.page.locator('form [type=submit]').click();
			await guest.page.locator('[aria-invalid]').first().waitFor();
			await judge(guest.page, `${hash}, refused`);
		}
	});
});

describe('with a session', () => {
	for (const [hash, heading, prepare] of insidePages(world)) {
		test(`axe finds nothing on ${hash.replaceAll(/[0-9a-f-]{36}/g, '…')}${prepare ? ` (${prepare.name})` : ''}`, async () => {
			await visitor.open(hash, heading);
			await prepare?.(visitor.page);
			await judge(visitor.page, hash);
		});
	}
});

describe('in the states between', () => {
	const { ada, mina, project, task, stack } = world;
	const at = `#/projects/${project}`;
	const { page, context } = visitor;
	page.on('dialog', (dialog) => dialog.accept());

	test('axe finds nothing on the dialog for a new task, filled in and refused', async () => {
		await visitor.open(at);
		await page.getByRole('button', { name: 'New task' }).click();
		const dialog = page.getByRole('dialog');
		await dialog.getByRole('textbox', { name: 'Labels' }).fill('shop');
		await page.keyboard.press('Enter');
		await judge(page, 'a new task');
		await dialog.locator('[type=submit]').click();
		await dialog.locator('[aria-invalid=true]').waitFor();
		await judge(page, 'a new task, refused');
	});

	test('axe finds nothing on cells that are edited in place, and on what is refused there', async () => {
		await visitor.open(at);
		for (const key of ['e', 'd', 'l']) {
			await page.locator('tr[data-task]').first().focus();
			await page.keyboard.press(key);
			await page.locator('tr[data-task] input').first().waitFor();
			await judge(page, `a cell edited by ${key}`);
			await page.keyboard.press('Escape');
		}
		await page.locator('tr[data-task]').first().focus();
		await page.keyboard.press('e');
		await page.locator('tr[data-task] input').first().fill('x'.repeat(201));
		await page.keyboard.press('Enter');
		await page.locator('tr [aria-invalid=true]').waitFor();
		await judge(page, 'a cell that is refused');
		await page.locator('tr [aria-invalid=true]').press('Escape');
		await page.locator('#outbox').filter({ hasText: /\w/ }).waitFor({ state: 'detached' });
	});

	test('axe finds nothing on a conflict', async () => {
		await visitor.open(`${at}/tasks/${task.id}`);
		await visitor.hearNothing();
		await mina.change(task, { title: 'Book two tracks', due_on: '2031-01-02' });
		await page.getByLabel('Title', { exact: true }).fill('Book no track');
		await page.getByLabel('Due', { exact: true }).fill('2030-01-02');
		await page.keyboard.press('Tab');
		await page.locator('form.conflict').waitFor();
		await judge(page, 'a conflict');
		await page.getByRole('button', { name: 'Take theirs' }).click();
		await visitor.hearAgain();
	});

	test('axe finds nothing on a board with a mark, with a notice that can be undone, and offline', async () => {
		await visitor.open(`${at}/board`);
		const card = page.getByRole('region', { name: 'Waiting' }).locator('li[data-task]').first();
		await card.focus();
		await context.setOffline(true);
		await page.keyboard.press('2');
		await page.locator('#outbox').filter({ hasText: /\w/ }).waitFor();
		await judge(page, 'offline');
		await page.locator('li[data-task]').first().focus();
		await page.keyboard.press('Delete');
		await page.getByRole('button', { name: 'Undo' }).waitFor();
		assert.deepEqual(await page.evaluate(async () => (await window.axe.run(document)).violations.map((it) => it.id)), []);
		await page.getByRole('button', { name: 'Undo' }).click();
		await context.setOffline(false);
		await page.locator('#outbox').filter({ hasText: /\w/ }).waitFor({ state: 'detached', timeout: 20_000 });
	});

	test('axe finds nothing on the secrets that are shown once', async () => {
		await visitor.open('#/settings');
		const fold = (name) => page.locator('details', { has: page.locator('summary', { hasText: name }) });
		await fold('API tokens').locator('summary').click();
		await fold('API tokens').getByLabel('Name').fill('nightly report');
		await fold('API tokens').getByLabel('Password').fill(ada.password);
		await fold('API tokens').locator('[type=submit]').first().click();
		await fold('API tokens').locator('pre').waitFor();
		await judge(page, 'a token');
		await fold('Second factor').locator('summary').click();
		await fold('Second factor').getByLabel('Password').fill(ada.password);
		await fold('Second factor').getByRole('button', { name: 'Switch on' }).click();
		await fold('Second factor').locator('pre').waitFor();
		await judge(page, 'a second factor');
	});

	test('axe finds nothing on the pages of somebody new, nor on what a viewer sees, nor on the log-in over a page', async (t) => {
		const eva = await stack.person('Eva');
		const other = await visit(t, stack);
		await other.logIn(eva);
		for (const hash of ['#/', '#/projects', '#/invitations', '#/notifications']) {
			await other.open(hash);
			await judge(other.page, `${hash} of somebody new`);
		}
		await ada.call('POST', `/v1/projects/${project}/invitations`, { email: eva.email, role: 'viewer' });
		await eva.call('POST', `/v1/me/invitations/${project}/accept`);
		for (const hash of [at, `${at}/people`, `${at}/tasks/${task.id}`]) {
			await other.open(hash);
			await judge(other.page, `${hash} of a viewer`);
		}
		assert.equal(await other.page.getByRole('button', { name: 'New task' }).count(), 0);
		assert.ok(await other.page.getByLabel('Title', { exact: true }).isDisabled());
		await eva.call('DELETE', '/v1/me/sessions');
		await other.page.evaluate(() => { dispatchEvent(new Event('count')); });
		await other.page.getByRole('dialog').waitFor();
		await judge(other.page, 'the log-in over a page');
	});
});
