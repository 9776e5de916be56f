import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { visit } from './visitor.mjs';
import { insidePages, makeWorld } from './world.mjs';

// Each would run, or draw something, where it was taken for markup.
const HOSTILE = ['<img src=x onerror="hacked=1">', '"><svg onload="hacked=1">', "'><script>hacked=1</script>", '</title><b>', '<b>{{hacked=1}}${hacked=1}', '‮<i>'];
let made = 0;
const hostile = () => `${HOSTILE[made++ % HOSTILE.length]} ${made}`;
const world = await makeWorld({ names: ['<img src=x onerror="hacked=1">', "Mina'\"><script>hacked=1</script>"], text: (english) => `${hostile()} ${english}` });
after(() => world.stack.stop());
const visitor = await visit(null, world.stack);
await visitor.logIn(world.ada);
const { page } = visitor;

describe('what people typed is text wherever it is shown', () => {
	for (const [hash, , prepare] of insidePages(world)) {
		test(`${hash.replaceAll(/[0-9a-f-]{36}/g, '…')}${prepare ? ` (${prepare.name})` : ''}`, async () => {
			await visitor.open(hash);
			await prepare?.(page);
			const found = await page.evaluate(() => ({
				hacked: window.hacked,
				made: document.querySelectorAll('main script, main img[src=x], main svg[onload], main [onerror], main i, title b, iframe, object, embed').length,
			}));
			assert.deepEqual(found, { hacked: undefined, made: 0 });
		});
	}

	test('it is shown as it was typed', async () => {
		await visitor.open(`#/projects/${world.project}/tasks/${world.task.id}`);
		const { title } = await world.ada.read(world.task);
		assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), title);
		assert.match(await page.title(), /</);
	});
});

describe('the policy of the page', () => {
	for (const path of ['/', '/app.js', '/style.css']) {
		test(`${path} is sent with a policy that allows nothing inline and nothing from elsewhere`, async () => {
			const answer = await fetch(world.stack.origin + path);
			const policy = Object.fromEntries(answer.headers.get('content-security-policy').split(';').map((it) => it.trim().split(/ (.*)/s).slice(0, 2)));
			assert.equal(policy['default-src'], "'self'");
			assert.equal(policy['frame-ancestors'], "'none'");
			assert.equal(policy['base-uri'], "'none'");
			assert.equal(policy['object-src'], "'none'");
			assert.equal(policy['require-trusted-types-for'], "'script'");
			assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe|\*|https?:/);
			assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
			await answer.text();
		});
	}

	test('the browser holds to it: markup from text, inline code and other hosts are refused', async (t) => {
		const other = await visit(t, world.stack);
		await other.open('#/login');
		other.expect(/Content Security Policy|TrustedHTML|TrustedScript|Trusted Type/i);
		const refused = await other.page.evaluate(async () => {
			const attempts = {
				markup: () => { document.body.insertAdjacentHTML('beforeend', '<b>'); },
				// Not at once: what a test runs itself may do it.
				code: () => new Promise((resolve, reject) => { setTimeout(() => { try { resolve((0, eval)('hacked = 1')); } catch (error) { reject(error); } }); }),
				inline: () => { document.body.append(Object.assign(document.createElement('script'), { textContent: 'hacked = 1' })); },
				handler: () => { document.body.setAttribute('onclick', 'hacked = 1'); document.body.click(); },
				elsewhere: () => fetch('https://example.com/'),
			};
			const result = {};
			for (const [name, attempt] of Object.entries(attempts)) {
				try {
					await attempt();
					result[name] = window.hacked === undefined ? 'nothing happened' : 'DONE';
				} catch {
					result[name] = 'refused';
				}
			}
			return result;
		});
		assert.equal(refused.markup, 'refused');
		assert.equal(refused.elsewhere, 'refused');
		assert.ok(Object.values(refused).every((it) => it !== 'DONE'), JSON.stringify(refused));
	});
});
