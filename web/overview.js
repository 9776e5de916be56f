// A project in pictures, drawn from its log. What is drawn is counted without a page, change by change, the oldest first.
import { page } from './api.js';
import { button, empty, fold, h, put } from './dom.js';
import { dateText, locale, t, timeText, today } from './i18n.js';
import { follow } from './live.js';
import { nameOf } from './people.js';
import { projectPath, taskHref } from './tasks.js';

const DAY = 86_400_000;
const HEIGHT = 200;
// From the bottom of the picture to its top.
const STACK = ['done', 'in_progress', 'waiting'];
const dayFrom = (day, by) => new Date(Date.parse(day) + by * DAY).toISOString().slice(0, 10);

/** Counts a log as it comes in. `take` says how many of the changes it had not seen. */
export function tally(zone = 'UTC') {
	const { format } = new Intl.DateTimeFormat('sv-SE', { timeZone: zone });
	const tasks = new Map();
	const days = [];
	const move = (at, from, to) => {
		const day = format(new Date(at));
		if (days.length === 0) days.push({ day, waiting: 0, in_progress: 0, done: 0 });
		while (days.at(-1).day < day) days.push({ ...days.at(-1), day: dayFrom(days.at(-1).day, 1) });
		if (from) days.at(-1)[from] -= 1;
		if (to) days.at(-1)[to] += 1;
	};
	const take = (changes) => changes.filter(({ task: id, version, kind, title, at, fields }) => {
		const task = tasks.get(id) ?? { id, version: 0, created: at, status: null, assignee: null };
		if (version <= task.version) return false;
		const before = task.status;
		for (const { name, to } of fields) if (name === 'status' || name === 'assignee') task[name] = to;
		if (kind === 'deleted') task.status = null;
		if (task.status !== before) {
			if (task.status === 'in_progress') task.started ??= at;
			if (task.status === 'done') task.finished = at;
			move(at, before, task.status);
		}
		return tasks.set(id, Object.assign(task, { version, title }));
	}).length;
	return { take, days, tasks: (...statuses) => [...tasks.values()].filter((it) => statuses.includes(it.status)) };
}

function tallied(changes, zone) {
	const log = tally(zone);
	log.take(changes);
	return log;
}

/** How many tasks there were in each status at the end of each day of a time zone, from the first change to the last. */
export const flow = (changes, zone) => tallied(changes, zone).days;

/** How many milliseconds each task that is done took, from its first start or else its creation until it was last done. */
export const cycleTimes = (changes, log = tallied(changes)) => log.tasks('done').map(({ id, title, created, started = created, finished }) => (
	{ id, title, finished, took: Math.max(0, Date.parse(finished) - Date.parse(started)) }));

/** How many open tasks each person has, `user` null for those of nobody; the most first. */
export function openBy(changes, log = tallied(changes)) {
	const people = new Map();
	for (const { status, assignee: user } of log.tasks('waiting', 'in_progress')) {
		const person = people.get(user) ?? { user, waiting: 0, in_progress: 0 };
		person[status] += 1;
		people.set(user, person);
	}
	const open = (it) => it.waiting + it.in_progress;
	return [...people.values()].sort((a, b) => open(b) - open(a));
}

function svg(name, attributes, ...children) {
	const element = document.createElementNS('http://www.w3.org/2000/svg', name);
	for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
	element.append(...children.flat(Infinity));
	return element;
}

/** A picture over days: dates below, round numbers at the left. `shapes` gets what places a day and a number. */
function plot(days, most, unit, shapes) {
	const power = 10 ** Math.floor(Math.log10(Math.max(1, most / 5)));
	const step = [1, 2, 5, 10].find((it) => it * power >= most / 5) * power;
	const top = Math.max(1, Math.ceil(most / step)) * step;
	const last = days.length - 1;
	const x = (index) => (100 * index) / last;
	const y = (number) => Math.round(HEIGHT * 10 * (1 - number / top)) / 10;
	const dates = [...new Set([0, .25, .5, .75, 1].map((it) => Math.round(it * last)))];
	const numbers = Array.from({ length: top / step + 1 }, (_, it) => it * step);
	return svg('svg', { class: 'plot', 'aria-hidden': true },
		numbers.map((it) => [svg('line', { x2: '100%', y1: y(it), y2: y(it) }), svg('text', { x: -8, y: y(it) + 4, 'text-anchor': 'end' }, unit(it))]),
		dates.map((it) => svg('text', { x: `${x(it)}%`, y: HEIGHT + 20, 'text-anchor': it === 0 ? 'start' : it === last ? 'end' : 'middle' }, dateText(days[it].day))),
		shapes(x, y));
}

const table = (heads, rows) => fold(t('overview.table'), () => h('table',
	h('thead', h('tr', heads.map((it) => h('th', { scope: 'col' }, it)))),
	h('tbody', rows.map(([first, ...cells]) => h('tr', h('th', { scope: 'row' }, first), cells.map((it) => h('td', it)))))));

const part = (title, ...children) => h('section.card', h('h2', title), children);
const legend = (counts) => h('ul.legend', STACK.filter((it) => it in counts).reverse().map((it) => h('li', h('span', { class: `dot ${it}` }), `${t(`status.${it}`)} `, h('strong', String(counts[it])))));

function flowPart(days) {
	const sums = days.map((it) => STACK.map((_, index) => STACK.slice(0, index + 1).reduce((sum, status) => sum + it[status], 0)));
	const shapes = (x, y) => {
		const edge = (layer) => sums.map((it, index) => `${x(index).toFixed(2)},${y(it[layer] ?? 0)}`);
		return svg('svg', { viewBox: `0 0 100 ${HEIGHT}`, width: '100%', height: HEIGHT, preserveAspectRatio: 'none' },
			STACK.map((status, layer) => svg('polygon', { class: status, points: [...edge(layer), ...edge(layer - 1).reverse()].join(' ') })));
	};
	const apart = Math.ceil(days.length / 100);
	const rows = days.toReversed().filter((_, index) => index % apart === 0).map((it) => [dateText(it.day), ...STACK.map((status) => String(it[status]))]);
	return part(t('overview.flow'), legend(days.at(-1)), plot(days, Math.max(...sums.map((it) => it[2])), String, shapes),
		table([t('overview.day'), ...STACK.map((it) => t(`status.${it}`))], rows));
}

function cyclePart(finished, days, project, zone) {
	const latest = finished.sort((a, b) => b.finished.localeCompare(a.finished)).slice(0, 200);
	if (latest.length === 0) return null;
	const sorted = latest.map((it) => it.took).sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
	const [unit, size] = [['day', DAY], ['hour', DAY / 24], ['minute', DAY / 1440]].find(([, it]) => sorted.at(-1) >= it) ?? ['minute', DAY / 1440];
	const long = new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: 1 });
	const text = (took) => long.format(took / size);
	const { format } = new Intl.DateTimeFormat('sv-SE', { timeZone: zone });
	const places = new Map(days.map((it, index) => [it.day, index]));
	const shapes = (x, y) => [
		latest.map((it) => svg('a', { href: taskHref({ ...it, project }), tabindex: -1 },
			svg('circle', { cx: `${x(places.get(format(new Date(it.finished))))}%`, cy: y(it.took / size), r: 5 }, svg('title', {}, `${it.title}: ${text(it.took)}`)))),
		svg('line', { class: 'median', x2: '100%', y1: y(median / size), y2: y(median / size) }),
	];
	return part(t('overview.cycle'), h('p.hint', t('overview.median', { time: text(median), count: latest.length })),
		plot(days, sorted.at(-1) / size, (it) => long.format(it), shapes),
		table([t('task.title'), t('status.done'), t('overview.took')], latest.map((it) => [h('a', { href: taskHref({ ...it, project }) }, it.title), timeText(it.finished, zone), text(it.took)])));
}

function openPart(open, people) {
	const most = Math.max(...open.map((it) => it.waiting + it.in_progress));
	const bar = ({ user, waiting, in_progress }) => {
		const [doing, all] = [in_progress, in_progress + waiting].map((it) => `${(100 * it) / most}%`);
		return h('li', h('strong', user ? nameOf(people, user) : t('task.nobody')), legend({ waiting, in_progress }),
			svg('svg', { class: 'bar', 'aria-hidden': true }, svg('rect', { class: 'waiting', width: all, height: 12, rx: 3 }), svg('rect', { class: 'in_progress', width: doing, height: 12, rx: 3 })));
	};
	return open.length > 0 && part(t('overview.open'), h('ul.bars', open.map(bar)));
}

/** A project's overview: cumulative flow, cycle times and open tasks by person. */
export function overviewView({ project, people, zone, leave }) {
	const place = h('div.overview');
	const log = tally(zone);
	let after = 'start';
	let count = 0;
	let left = false;
	const draw = () => {
		if (log.days.length === 0) return put(place, empty(t('overview.none'), t('overview.noneText')));
		// From nothing the day before until now.
		const days = [{ day: dayFrom(log.days[0].day, -1), waiting: 0, in_progress: 0, done: 0 }, ...log.days];
		while (days.at(-1).day < today(zone)) days.push({ ...days.at(-1), day: dayFrom(days.at(-1).day, 1) });
		put(place, flowPart(days), cyclePart(cycleTimes([], log), days, project.id, zone), openPart(openBy([], log), people));
	};
	const read = async () => {
		for (let seen = 1; seen > 0;) {
			put(place, h('p.hint', t('overview.reading', { count })));
			const { items, next_cursor } = await page(`${projectPath(project.id)}/changes`, { after, limit: 100 });
			if (left) return;
			seen = log.take(items);
			count += seen;
			after = next_cursor;
		}
		draw();
		// What somebody reads stays as it is.
		leave.push(follow(project.id, (changes) => log.take(changes) > 0 && !place.querySelector('[open], :focus') && draw()));
	};
	const start = () => read().catch((error) => put(place, h('p.form-error', { role: 'alert' }, error.message), button(t('failure.again'), start)));
	leave.push(() => {
		left = true;
	});
	start();
	return place;
}
