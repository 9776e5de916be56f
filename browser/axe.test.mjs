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
