// How fast a long list is: `npm run timing` with BATON naming a binary (a release build tells more). Prints medians of several loads.
import { chromium } from 'playwright-core';
import { servePage } from './files.mjs';
import { MANY, makeMany } from './many.mjs';
import { startStack } from './stack.mjs';

const RUNS = Number(process.env.RUNS ?? 7);
const stack = await startStack();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' });
try {
	const ada = await stack.person('Ada');
	console.log(`makes ${MANY} tasks`);
	const project = await makeMany(ada);
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
	await servePage(context, stack);
	const page = await context.newPage();
	await page.goto(`${stack.origin}/`);
	await page.locator('[name=email]').fill(ada.email);
	await page.locator('[name=password]').fill(ada.password);
	await page.locator('form [type=submit]').click();
	await page.locator('header nav').waitFor();
	await context.addInitScript(watch);

	const rows = [['view', 'answer to rows, ms', 'long tasks to the rows', 'longest, ms', 'long tasks while scrolling to the end', 'longest, ms']];
	for (const [view, hash] of [['table', ''], ['table, sorted', '?sort=due_on'], ['board', '/board']]) {
		const runs = [];
		for (let run = 0; run < RUNS; run++) {
			await page.goto('about:blank');
			await page.goto(`${stack.origin}/#/projects/${project}${hash}`);
			await page.locator('[data-task]').first().waitFor();
			await page.waitForTimeout(500);
			const first = await page.evaluate(() => ({ ...window.timing, longTasks: window.timing.longTasks.splice(0) }));
			await page.evaluate(scrollToEnd);
			const scrolled = await page.evaluate(() => window.timing.longTasks);
			runs.push([first.shown - first.answered, first.longTasks.length, Math.max(0, ...first.longTasks), scrolled.length, Math.max(0, ...scrolled)]);
		}
		rows.push([view, ...runs[0].map((_, column) => median(runs.map((it) => it[column])).toFixed(0))]);
	}
	console.log(`\n${MANY} tasks, medians of ${RUNS} loads; a task is long above 50 ms\n`);
	for (const row of rows) console.log(`| ${row.join(' | ')} |`);
} finally {
	await browser.close();
	await stack.stop();
}

function median(numbers) {
	const sorted = numbers.slice().sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)];
}

/** Notes in the page when the first page of the list was answered, when its rows were drawn, and each long task. */
function watch() {
	window.timing = { answered: 0, shown: 0, longTasks: [] };
	new PerformanceObserver((list) => window.timing.longTasks.push(...list.getEntries().map((it) => it.duration))).observe({ type: 'longtask', buffered: true });
	new PerformanceObserver((list) => {
		const answer = list.getEntries().find((it) => /\/tasks\?/.test(it.name));
		if (answer) window.timing.answered ||= answer.responseEnd;
	}).observe({ type: 'resource', buffered: true });
	const rows = new MutationObserver(() => {
		if (!document.querySelector('[data-task]')) return;
		rows.disconnect();
		// After the frame that paints them.
		requestAnimationFrame(() => setTimeout(() => { window.timing.shown = performance.now(); }));
	});
	rows.observe(document, { childList: true, subtree: true });
}

async function scrollToEnd() {
	const scrollers = () => [document.scrollingElement, ...document.querySelectorAll('section ul')];
	for (let still = 0; still < 10;) {
		const before = scrollers().map((it) => it.scrollTop).join();
		for (const it of scrollers()) it.scrollBy(0, innerHeight);
		await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve, 16)); });
		still = scrollers().map((it) => it.scrollTop).join() === before ? still + 1 : 0;
	}
}
