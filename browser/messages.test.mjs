import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';

const folder = new URL(`${process.env.BATON_WEB ? `file://${process.env.BATON_WEB}` : new URL('../web', import.meta.url)}/`);
const modules = new Map();
for (const name of await readdir(folder)) if (name.endsWith('.js')) modules.set(name, await readFile(new URL(name, folder), 'utf8'));

const [, table] = /const TABLE = `\n(.*?)\n`/s.exec(modules.get('i18n.js'));
const messages = new Map();
let group;
for (const line of table.split('\n')) {
	if (line.startsWith('#')) group = line.slice(1);
	else messages.set(`${group}.${line.split('|')[0]}`, line.split('|'));
}

test('every message is in Korean, with the same values to be filled in', () => {
	for (const [key, [, english, korean]] of messages) {
		assert.match(korean ?? '', /[가-힣]/, key);
		const names = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
		assert.deepEqual(names(korean), names(english), key);
	}
});

test('every message that is asked for by name is there', () => {
	for (const [name, text] of modules) {
		for (const [, key] of text.matchAll(/\bt\('([\w.]+)'/g)) assert.ok(messages.has(key), `${name} asks for ${key}`);
	}
});
