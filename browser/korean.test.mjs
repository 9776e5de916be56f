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
