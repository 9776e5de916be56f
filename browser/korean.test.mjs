import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { visit } from './visitor.mjs';
import { insidePages, makeWorld, OUTSIDE } from './world.mjs';

const KOREAN = {
	'Autumn relay': '가을 이어달리기', 'Winter relay': '겨울 이어달리기', 'Book the track': '운동장 예약', 'Book the track early': '운동장 일찍 예약', 'track': '운동장', 'shop': '가게',
	'From eight to noon.': '여덟 시부터 정오까지.', 'From seven to noon.': '일곱 시부터 정오까지.', 'Order eight batons': '바통 여덟 개 주문', 'Invite the other schools': '다른 학교 초대',
	'Find somebody with a whistle': '호루라기 있는 사람 찾기', 'A mistake': '실수',
};
const world = await makeWorld({ locale: 'ko', names: ['김아다', '박미나'], text: (english) => KOREAN[english] });
after(() => world.stack.stop());

const options = { locale: 'ko-KR', timezoneId: 'Asia/Seoul' };
const guest = await visit(null, world.stack, options);
const visitor = await visit(null, world.stack, options);
await visitor.logIn(world.ada);

// Names of things that a Korean reader knows by these letters, and what people called themselves.
const ALLOWED = new Set(['Baton', 'JSON', 'API', 'Enter', 'Esc', 'Del', 'Shift', 'Chrome', 'Chromium', 'Linux', 'HeadlessChrome', 'English', 'UTC']);

/** Every text of a page that a person sees or hears, but for addresses, key caps and names of time zones. */
function texts() {
	const found = [document.title];
	const skip = 'kbd, pre, script, style, noscript, option[value*="/"], [href^="mailto:"]';
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(skip)) found.push(walker.currentNode.data);
	for (const element of document.querySelectorAll('*')) {
		for (const name of ['aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'placeholder', 'title', 'alt']) if (element.hasAttribute(name)) found.push(element.getAttribute(name));
	}
	return found;
}

const wordsOf = (text) => (text.replace(/\S+@\S+|https?:\S+|\b[A-Z]\w+\/\w+/g, ' ').match(/[A-Za-z]{2,}/g) ?? []).filter((it) => !ALLOWED.has(it));

async function holdKorean(page) {
	assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
	assert.deepEqual([...new Set(await page.evaluate(texts))].filter((it) => wordsOf(it).length > 0), []);
}

describe('no English word is left, without a session', () => {
	for (const hash of OUTSIDE) {
		test(hash, async () => {
			await guest.open(hash);
			await holdKorean(guest.page);
			const submit = guest.page.locator('form [type=submit]');
			if ((await submit.count()) === 0) return;
			await submit.click();
			await guest.page.locator('[aria-invalid], [role=alert]:not([hidden])').first().waitFor();
			await holdKorean(guest.page);
		});
	}
});

describe('no English word is left, with a session', () => {
	for (const [hash, , prepare] of insidePages(world)) {
		test(`${hash.replaceAll(/[0-9a-f-]{36}/g, '…')}${prepare ? ` (${prepare.name})` : ''}`, async () => {
			await visitor.open(hash);
			await prepare?.(visitor.page);
			await holdKorean(visitor.page);
		});
	}
});

test('a Korean reader comes from the log-in to a task, and is told in Korean beside the field what is refused', async (t) => {
	const other = await visit(t, world.stack, options);
	const { page } = other;
	const mina = await world.stack.person('이해나', { email: 'haena@example.com', locale: 'ko', time_zone: 'Asia/Seoul' });
	await page.goto('/');
	await page.getByLabel('이메일').fill(mina.email);
	await page.getByLabel('비밀번호', { exact: true }).fill('맞지 않는 비밀번호입니다 정말로');
	await page.getByRole('button', { name: '로그인' }).click();
	const alert = page.getByRole('alert').filter({ hasText: /[가-힣]/ });
	await alert.waitFor();
	await holdKorean(page);
	await page.getByLabel('비밀번호', { exact: true }).fill(mina.password);
	await page.getByRole('button', { name: '로그인' }).click();
	await page.getByRole('heading', { level: 1, name: '내 작업' }).waitFor();

	await page.getByRole('navigation').getByRole('link', { name: '프로젝트', exact: true }).click();
	await page.getByLabel('프로젝트 이름').fill('보일러실');
	await page.getByRole('button', { name: '만들기' }).click();
	await page.getByRole('heading', { level: 1, name: '보일러실' }).waitFor();
	await page.getByRole('button', { name: '새 작업' }).click();
	const dialog = page.getByRole('dialog');
	const title = dialog.getByLabel('제목');
	const refusal = async (typed) => {
		await title.fill(typed);
		await dialog.locator('[type=submit]').click();
		await dialog.locator('[aria-invalid=true]').waitFor();
		const said = page.locator(`#${(await title.getAttribute('aria-describedby')).split(' ').at(-1)}`);
		await said.filter({ hasText: /[가-힣]/ }).waitFor();
		assert.equal(await title.inputValue(), typed);
		await holdKorean(page);
		return said.textContent();
	};
	assert.match(await refusal('펌프'.repeat(101)), /200/);
	await refusal('');
	// The Enter that ends a syllable is the input method's.
	const labels = dialog.getByRole('textbox', { name: '라벨' });
	await labels.fill('지하');
	await labels.evaluate((it) => it.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })));
	assert.equal(await labels.inputValue(), '지하');
	await title.fill('펌프 고치기');
	await dialog.locator('[type=submit]').click();
	await page.getByRole('row').filter({ hasText: '펌프 고치기' }).waitFor();
	await page.getByRole('link', { name: '펌프 고치기' }).click();
	await page.getByRole('heading', { level: 1, name: '펌프 고치기' }).waitFor();
	await page.getByRole('listitem').filter({ hasText: '이해나' }).first().waitFor();
	await holdKorean(page);
});

test('the language of the profile goes before that of the browser, and a change of it shows at once', async (t) => {
	const eva = await world.stack.person('Eva', { locale: 'en' });
	const other = await visit(t, world.stack, options);
	const { page } = other;
	await other.open('#/login', '로그인');
	await other.logIn(eva, '#/settings');
	await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
	assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
	await page.getByLabel('Language').selectOption('ko');
	await page.getByRole('button', { name: 'Save' }).first().click();
	await page.getByRole('heading', { level: 1, name: '설정' }).waitFor();
	assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
	await page.reload();
	await page.getByRole('heading', { level: 1, name: '설정' }).waitFor();
});

test('no English word is left in dialogs, notices, conflicts and what is said offline', async () => {
	const { page, context } = visitor;
	const { mina, project, task } = world;
	page.on('dialog', (dialog) => dialog.accept());
	await visitor.open(`#/projects/${project}`);
	await page.getByRole('button', { name: '새 작업' }).click();
	await page.getByRole('dialog').waitFor();
	await holdKorean(page);
	await page.keyboard.press('Escape');
	await page.locator('tr[data-task]').last().focus();
	await page.keyboard.press('Delete');
	await page.getByRole('button', { name: '되돌리기' }).waitFor();
	await holdKorean(page);
	await page.getByRole('button', { name: '되돌리기' }).click();

	await visitor.open(`#/projects/${project}/tasks/${task.id}`);
	await visitor.hearNothing();
	await mina.change(task, { title: '운동장 두 곳 예약' });
	await page.getByLabel('제목', { exact: true }).fill('체육관 예약');
	await page.keyboard.press('Tab');
	await page.locator('form.conflict').waitFor();
	await holdKorean(page);
	await page.getByRole('button', { name: '다른 사람 것으로' }).click();
	await page.locator('form.conflict').waitFor({ state: 'detached' });
	await visitor.hearAgain();

	await context.setOffline(true);
	await page.getByLabel('설명').fill('오전에만.');
	await page.keyboard.press('Tab');
	await page.locator('#outbox').filter({ hasText: /[가-힣]/ }).waitFor();
	await holdKorean(page);
	await page.getByRole('link', { name: '알림' }).click();
	await page.getByRole('button', { name: '다시 시도' }).waitFor();
	await holdKorean(page);
	await context.setOffline(false);
	await page.getByRole('button', { name: '다시 시도' }).click();
	await page.locator('#outbox').filter({ hasText: /[가-힣]/ }).waitFor({ state: 'detached', timeout: 20_000 });
});
