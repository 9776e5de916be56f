// What the overview counts, by the module as it is served.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStack } from './stack.mjs';
import { visit } from './visitor.mjs';

const stack = await startStack();
after(() => stack.stop());

const change = (task, version, at, kind, values) => ({
	task, version, kind, at: `2026-11-${at}Z`, fields: Object.entries(values).map(([name, to]) => ({ name, from: null, to })),
});
const LOG = [
	change('a', 1, '01T10:00:00', 'created', { status: 'waiting', assignee: 'u' }),
	change('b', 1, '01T16:00:00', 'created', { status: 'waiting', assignee: 'v' }),
	change('a', 2, '02T10:00:00', 'updated', { status: 'in_progress' }),
	change('a', 3, '04T10:00:00', 'updated', { status: 'done' }),
	change('c', 1, '04T11:00:00', 'created', { status: 'done' }),
	change('a', 4, '05T10:00:00', 'updated', { status: 'in_progress' }),
	change('b', 2, '05T10:00:00', 'deleted', {}),
	change('a', 5, '06T10:00:00', 'updated', { status: 'done' }),
	change('d', 1, '06T11:00:00', 'created', { status: 'waiting' }),
	change('e', 1, '06T12:00:00', 'created', { status: 'in_progress', assignee: 'u' }),
	change('f', 1, '06T13:00:00', 'created', { status: 'waiting', assignee: 'u' }),
];

/** What the module makes of the log, told in these pieces, in this zone. */
async function counted(t, zone, pieces) {
	const { page } = await visit(t, stack);
	await page.goto('/');
	return page.evaluate(async ([zone, pieces]) => {
		const { tally, openBy } = await import('/overview.js');
		const log = tally(zone);
		const taken = pieces.map((it) => log.take(it));
		const tasks = [...log.tasks.values()];
		return { taken, days: log.days, tasks: Object.fromEntries(tasks.map((it) => [it.id, it])), open: openBy(tasks) };
	}, [zone, pieces]);
}

test('each day ends with as many tasks in each status as the log leaves there', async (t) => {
	const { days } = await counted(t, 'UTC', [LOG]);
	assert.deepEqual(days.map(({ day, waiting, in_progress, done }) => [day, waiting, in_progress, done]), [
		['2026-10-31', 0, 0, 0],
		['2026-11-01', 2, 0, 0],
		['2026-11-02', 1, 1, 0],
		['2026-11-03', 1, 1, 0],
		['2026-11-04', 1, 0, 2],
		['2026-11-05', 0, 1, 1],
		['2026-11-06', 2, 1, 2],
	]);
});

test('a day is a day in the zone of whoever reads', async (t) => {
	// 16:00 in UTC is the next morning in Seoul.
	const { days } = await counted(t, 'Asia/Seoul', [LOG]);
	assert.deepEqual(days.slice(1, 3).map(({ day, waiting, in_progress }) => [day, waiting, in_progress]), [['2026-11-01', 1, 0], ['2026-11-02', 1, 1]]);
});

test('a finished task took from its first start, or its creation, to its last end', async (t) => {
	const { tasks } = await counted(t, 'UTC', [LOG]);
	assert.deepEqual([tasks.a.took, tasks.c.took, tasks.b.status, tasks.e.took], [4, 0, null, undefined]);
});

test('open tasks are counted by person, most first', async (t) => {
	const { open } = await counted(t, 'UTC', [LOG]);
	assert.deepEqual(open, [{ user: 'u', open: 2, waiting: 1, in_progress: 1 }, { user: null, open: 1, waiting: 1, in_progress: 0 }]);
});

test('what is listed again is counted once', async (t) => {
	const { taken, days } = await counted(t, 'UTC', [LOG.slice(0, 6), LOG.slice(3), LOG]);
	assert.deepEqual(taken, [6, 5, 0]);
	assert.deepEqual(days, (await counted(t, 'UTC', [LOG])).days);
});
