// A person at a browser of their own. Whatever they do, the page may ask nothing of another host and must not fail in the console.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { servePage } from './files.mjs';
import { until } from './wait.mjs';

const NEWS = /\/projects\/[^/]+\/changes\?/;

let browser;
let failures = 0;
const visitors = [];
after(async () => {
	for (const visitor of visitors) await visitor.close();
	await (await browser)?.close();
});

/** Opens a browser context for a test, or for all of a file where there is no `test`; it is closed, and judged, at the end of it. */
export async function visit(test, stack, { locale = 'en-GB', ...options } = {}) {
	browser ??= chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' });
	const context = await (await browser).newContext({ baseURL: stack.origin, locale, timezoneId: 'Europe/Berlin', viewport: { width: 1280, height: 800 }, ...options });
	context.setDefaultTimeout(20_000);
	const visitor = new Visitor(stack, context);
	await servePage(context, stack);
	visitor.page = await context.newPage();
	if (test === null) visitors.push(visitor);
	test?.after(async () => {
		// What a failed test saw last.
		if (test.passed === false) await visitor.shoot(`failed-${test.name.replace(/\W+/g, '-').slice(0, 60)}-${++failures}`).catch(() => {});
		await visitor.close();
	});
	return visitor;
}

class Visitor {
	#complaints = [];
	#expected = null;

	constructor(stack, context) {
		this.stack = stack;
		this.context = context;
		context.on('request', (request) => {
			const { origin, protocol } = new URL(request.url());
			if (origin !== stack.origin && protocol !== 'blob:' && protocol !== 'data:') this.#complaints.push(`asked ${request.url()}`);
		});
		context.on('console', (message) => {
			// The browser's own word of a status that is no success; that there is one is often what a test is about.
			if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.#complaints.push(message.text());
		});
		context.on('weberror', (error) => this.#complaints.push(String(error.error()?.stack ?? error)));
	}

	/** A test that provokes the console says what it will say. */
	expect(pattern) {
		this.#expected = pattern;
	}

	async close() {
		await this.context.close();
		assert.deepEqual(this.#complaints.filter((it) => !this.#expected?.test(it)), []);
	}

	/** A picture of a page in shots/. */
	shoot(name, page = this.page, options = {}) {
		return page.screenshot({ path: fileURLToPath(new URL(`shots/${name}.png`, import.meta.url)), ...options });
	}

	/** Opens an address in a document of its own; drawn when this resolves. */
	async open(hash, heading) {
		await this.page.goto('about:blank');
		await this.page.goto(`/${hash}`);
		await this.drawn();
		await this.page.waitForLoadState('networkidle', { timeout: 60_000 });
		if (heading) await this.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
	}

	/** What others do is not heard of until `hearAgain`: once this resolves, no answer is under way either. */
	async hearNothing() {
		const refused = this.page.waitForEvent('requestfailed', (request) => NEWS.test(request.url()));
		await this.page.route(NEWS, (route) => route.abort());
		await refused;
	}

	hearAgain() {
		return this.page.unroute(NEWS);
	}

	async drawn() {
		await this.page.locator('main:not([aria-busy]) h1').first().waitFor();
	}

	/** Logs in by the form. */
	async logIn(person, hash = '#/') {
		await this.page.goto(`/${hash}`);
		await this.page.locator('[name=email]').fill(person.email);
		await this.page.locator('[name=password]').fill(person.password);
		await this.page.locator('form [type=submit]').click();
		await this.page.locator('header nav').waitFor();
		await this.drawn();
	}

	/** Opens /inbox in a tab of its own and a mail there; follows the link that has `part` in its address, as its reader would. Gives the tab it opens. */
	async followMail(to, subject, part) {
		const { id } = await until(`a mail to ${to} with ${subject}`, async () => {
			const mails = await this.stack.call('GET', `/inbox.json?to=${encodeURIComponent(to)}`);
			return mails.find((it) => it.subject.includes(subject) && it.html.includes(part));
		});
		const inbox = await this.context.newPage();
		await inbox.goto('/inbox');
		const mail = inbox.locator('body > details', { has: inbox.locator(`iframe[src="/inbox/${id}"]`) });
		await mail.locator('summary').first().click();
		const link = mail.frameLocator('iframe').locator(`a[href*="${part}"]`).first();
		const [opened] = await Promise.all([this.context.waitForEvent('page'), link.click()]);
		await inbox.close();
		await opened.locator('main:not([aria-busy]) h1').first().waitFor();
		return opened;
	}
}
