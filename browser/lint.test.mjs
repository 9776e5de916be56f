import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const root = fileURLToPath(new URL('..', import.meta.url));
const eslint = new ESLint({ cwd: root, overrideConfigFile: fileURLToPath(new URL('eslint.config.mjs', import.meta.url)) });

/** The rules that a module of web/ with this text breaks. */
async function broken(text) {
	const [{ messages }] = await eslint.lintText(text, { filePath: `${root}web/sample.js` });
	return messages.map((it) => it.ruleId ?? it.message);
}

test('the lint lets ordinary code pass', async () => {
	assert.deepEqual(await broken("import { h } from './dom.js';\nexport const name = (text) => h('p.name', { title: text, onclick: () => {} }, text);\n"), []);
});

// Each is a way by which text becomes markup, code or style.
for (const sample of [
	'document.body.innerHTML = location.hash;',
	"document.body.innerHTML = '';",
	"document.body['innerHTML'] = location.hash;",
	"const way = 'innerHTML'; document.body[way] = location.hash;",
	'document.body[`innerHTML`] = location.hash;',
	'Object.assign(document.body, { innerHTML: location.hash });',
	"Object.assign(document.body, { 'innerHTML': location.hash });",
	'document.body.outerHTML = location.hash;',
	"document.body.insertAdjacentHTML('beforeend', location.hash);",
	'document.write(location.hash);',
	'document.writeln(location.hash);',
	'document.body.setHTML(location.hash);',
	'document.body.setHTMLUnsafe(location.hash);',
	'document.parseHTMLUnsafe(location.hash);',
	"new DOMParser().parseFromString(location.hash, 'text/html');",
	'document.createRange().createContextualFragment(location.hash);',
	"const { innerHTML } = document.body; console.log(innerHTML);",
	"document.body.setAttribute('style', location.hash);",
	"document.body.setAttribute('onclick', location.hash);",
	"import { h } from './dom.js'; h('p', { style: 'color: red' });",
	"import { h } from './dom.js'; h('p', { style: `width: ${location.hash}` });",
	"import { h } from './dom.js'; h('p', { onclick: 'alert(1)' });",
	"import { h } from './dom.js'; h('iframe', { srcdoc: '<p>' });",
	"import { h } from './dom.js'; h('a', { href: 'javascript:alert(1)' });",
	'eval(location.hash);',
	'new Function(location.hash)();',
	"setTimeout('alert(1)');",
	'import(location.hash);',
	'import(`${location.hash}/x.js`);',
	"import('https://example.com/x.js');",
	"trustedTypes.createPolicy('mine', {});",
	'/* eslint-disable */ document.body.innerHTML = location.hash;',
]) {
	test(`the lint refuses ${sample}`, async () => {
		const rules = (await broken(sample)).filter((it) => it !== 'no-undef' && it !== 'no-unused-vars');
		assert.notDeepEqual(rules, []);
	});
}

test('the lint refuses what is defined nowhere or used nowhere', async () => {
	assert.deepEqual(await broken('notThere();'), ['no-undef']);
	assert.deepEqual(await broken('const unused = 1;'), ['no-unused-vars']);
});
