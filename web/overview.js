// A project in pictures, drawn from its log.
import { page } from './api.js';
import { empty, fold, h, put } from './dom.js';
import { dateText, locale, t, today } from './i18n.js';
import { follow } from './live.js';
import { nameOf } from './people.js';
import { projectHref, projectPath, STATUSES, taskHref } from './tasks.js';

const HOUR = 3_600_000;
const HEIGHT = 200;
const shifted = (it, days) => ({ ...it, day: new Date(Date.parse(it.day) + days * 24 * HOUR).toISOString().slice(0, 10) });

/** Counts a log change by change, the oldest first: its tasks, and how many there were in each status at the end of each day. */
export function tally(zone) {
	const { format } = new Intl.DateTimeFormat('sv', { timeZone: zone });
	const tasks = new Map();
	const days = [];
	const count = ({ task: id, version, kind, title, at, fields }) => {
		const task = tasks.get(id) ?? { id, version: 0, started: at };
		if (version <= task.version) return false;
		const { status } = task;
		for (const { name, to } of fields) task[name] = to;
		if (kind === 'deleted') task.status = null;
		tasks.set(id, Object.assign(task, { version, title }));
		if (task.status === status) return true;
		const day = format(new Date(at));
		if (days.length === 0) days.push({ day, waiting: 0, in_progress: 0, done: 0 });
		while (days.at(-1).day < day) days.push(shifted(days.at(-1), 1));
		const today = days.at(-1);
		if (status) today[status] -= 1;
		if (task.status) today[task.status] += 1;
		// What was never in progress took its time from its creation on.
		if (task.status === 'in_progress' && !task.moved) Object.assign(task, { moved: true, started: at });
		if (task.status === 'done') Object.assign(task, { day, took: Math.max(0, Date.parse(at) - Date.parse(task.started)) });
		return true;
	};
	return { days, take: (changes) => changes.filter(count).length, in: (...statuses) => [...tasks.values()].filter((it) => statuses.includes(it.status)) };
}

/** How many of the open tasks each person has, `user` empty for those of nobody; the most first. */
export function openBy(tasks) {
	const people = {};
	for (const { status, assignee } of tasks) {
		const person = people[assignee ?? ''] ??= { user: assignee, waiting: 0, in_progress: 0, open: 0 };
		person[status] += 1;
		person.open += 1;
	}
	return Object.values(people).sort((a, b) => b.open - a.open);
}

function svg(name, attributes, ...children) {
	const element = document.createElementNS('http://www.w3.org/2000/svg', name);
	for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
	return put(element, children);
}

/** A picture over days, with round numbers at its left. `shapes` gets what places a day and a number. */
function plot(days, most, unit, shapes) {
	const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((it) => it * 5 >= most) ?? 5000;
	const top = Math.ceil(most / step) * step;
	const x = (index) => (100 * index) / (days.length - 1);
	const y = (number) => HEIGHT * (1 - number / top);
	const number = (_, it) => [svg('line', { x2: '100%', y1: y(it * step), y2: y(it * step) }), svg('text', { x: -8, y: y(it * step) + 4, 'text-anchor': 'end' }, unit(it * step))];
	const date = (anchor, it) => svg('text', { x: `${x(it)}%`, y: HEIGHT + 20, 'text-anchor': anchor }, dateText(days[it].day));
	return svg('svg', { class: 'plot' }, Array.from({ length: top / step + 1 }, number), date('start', 0), date('middle', days.length >> 1), date('end', days.length - 1), shapes(x, y));
}

const part = (title, ...children) => h('section.card', h('h2', t(`overview.${title}`)), children);
const legend = (counts) => h('ul.legend', STATUSES.filter((it) => it in counts).map((it) => h('li', h(`span.dot.${it}`), t(`status.${it}`), ' ', h('strong', String(counts[it])))));

function flowPart(days) {
	const sum = (day, from) => STATUSES.slice(from).reduce((all, it) => all + day[it], 0);
	// Each area reaches down to the bottom, and the next lies over it.
	const areas = (x, y) => svg('svg', { viewBox: `0 0 100 ${HEIGHT}`, height: HEIGHT, preserveAspectRatio: 'none' }, STATUSES.map((status, from) => (
		svg('polygon', { class: status, points: `0,${HEIGHT} ${days.map((it, index) => `${x(index)},${y(sum(it, from))}`).join(' ')} 100,${HEIGHT}` }))));
	const row = (it) => h('tr', h('th', { scope: 'row' }, dateText(it.day)), STATUSES.map((status) => h('td', String(it[status]))));
	const apart = Math.ceil(days.length / 100);
	return part('flow', legend(days.at(-1)), plot(days, Math.max(1, ...days.map((it) => sum(it, 0))), String, areas), fold(t('overview.table'), () => h('table',
		h('thead', h('tr', ['overview.day', ...STATUSES.map((it) => `status.${it}`)].map((it) => h('th', { scope: 'col' }, t(it))))),
		h('tbody', days.toReversed().filter((_, index) => index % apart === 0).map(row)))));
}

function cyclePart(tasks, days, project) {
	const times = tasks.map((it) => it.took).sort((a, b) => a - b);
	const most = times.at(-1);
	const [unit, size] = most > 24 * HOUR ? ['day', 24 * HOUR] : ['hour', HOUR];
	const { format } = new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: 1 });
	const median = times[(times.length - 1) >> 1] / size;
	const dots = (x, y) => [svg('line', { class: 'median', x2: '100%', y1: y(median), y2: y(median) }), tasks.map(({ id, title, day, took }) => (
		svg('a', { href: taskHref({ id, project }) }, svg('title', {}, `${title}: ${format(took / size)}`), svg('circle', { cx: `${x(days.findIndex((it) => it.day === day))}%`, cy: y(took / size), r: 5 }))))];
	return part('cycle', h('p.hint', t('overview.median', { time: format(median), count: tasks.length })), plot(days, Math.max(1, most / size), format, dots));
}

function openPart(open, people, project) {
	const bar = (it, status, count) => svg('rect', { class: status, width: `${(100 * count) / open[0].open}%`, height: 12 });
	return part('open', h('ul.bars', open.map((it) => h('li',
		h('a', { href: `${projectHref(project)}?assignee=${it.user ?? 'nobody'}` }, it.user ? nameOf(people, it.user) : t('task.nobody')),
		legend({ waiting: it.waiting, in_progress: it.in_progress }),
		svg('svg', { class: 'bar' }, bar(it, 'waiting', it.open), bar(it, 'in_progress', it.in_progress))))));
}

/** A project's overview: cumulative flow, open tasks by person, and how long the latest of the finished ones took. */
export function overviewView({ project: { id }, people, zone, leave }) {
	const place = h('div.overview');
	const log = tally(zone);
	let left = false;
	const draw = () => {
		if (log.days.length === 0) return put(place, empty(t('overview.none'), t('overview.noneText')));
		const days = [shifted({ day: log.days[0].day, waiting: 0, in_progress: 0, done: 0 }, -1), ...log.days];
		while (days.at(-1).day < today(zone)) days.push(shifted(days.at(-1), 1));
		const open = openBy(log.in('waiting', 'in_progress'));
		const done = log.in('done').sort((a, b) => (a.day < b.day ? 1 : -1)).slice(0, 100);
		put(place, flowPart(days), open.length > 0 && openPart(open, people, id), done.length > 0 && cyclePart(done, days.slice(days.findIndex((it) => it.day === done.at(-1).day) - 1), id));
	};
	const read = async () => {
		for (let after = 'start', count = 0, more = true; more && !left;) {
			put(place, h('p.hint', t('overview.reading', { count })));
			const { items, next_cursor } = await page(`${projectPath(id)}/changes`, { after, limit: 100 });
			more = log.take(items) > 0;
			count += items.length;
			after = next_cursor;
		}
		if (left) return;
		draw();
		// What somebody reads stays as it is.
		leave.push(follow(id, (changes) => log.take(changes) > 0 && !place.querySelector('[open], :focus') && draw()));
	};
	leave.push(() => {
		left = true;
	});
	read().catch((error) => put(place, h('p.form-error', { role: 'alert' }, error.message)));
	return place;
}
