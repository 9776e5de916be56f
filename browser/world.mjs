// A project with something of everything in it, and every page and dialog that there is to see of it.
import { startStack } from './stack.mjs';
import { until } from './wait.mjs';

const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Two people, their project and tasks in every state. User text is in `letters`, so that a walk can tell it from the page's own. */
export async function makeWorld({ locale = 'en', names = ['Ada Lovelace', 'Mina Park'], text = (english) => english } = {}) {
	const stack = await startStack();
	const [ada, mina] = await Promise.all(names.map((name, at) => stack.person(name, { email: `${at ? 'mina' : 'ada'}@example.com`, locale, time_zone: 'Europe/Berlin' })));
	const project = await ada.project(text('Autumn relay'), mina);
	const make = (title, fields = {}) => ada.task(project, { title: text(title), ...fields });
	const task = await make('Book the track', { assignee: mina.id, priority: 'high', labels: [text('track')], due_on: day(3), description: text('From eight to noon.') });
	await make('Order eight batons', { assignee: ada.id, status: 'in_progress', priority: 'urgent', due_on: day(-2), labels: [text('shop'), text('track')] });
	await make('Invite the other schools', { status: 'done', assignee: mina.id });
	await make('Find somebody with a whistle', { priority: 'low', due_on: day(200) });
	const gone = await make('A mistake');
	await mina.change(task, { status: 'in_progress', title: text('Book the track early'), description: text('From seven to noon.') });
	await mina.change(task, { assignee: ada.id, due_on: null, priority: 'medium', labels: [] });
	await mina.call('DELETE', `/v1/projects/${project}/tasks/${gone.id}`, undefined, { 'if-match': '*' });
	await ada.call('POST', `/v1/projects/${project}/invitations`, { email: 'somebody@example.com', role: 'viewer' });
	const other = await mina.project(text('Winter relay'));
	await mina.call('POST', `/v1/projects/${other}/invitations`, { email: ada.email, role: 'owner' });
	const unread = async () => (await ada.call('GET', '/v1/notifications/unread')).unread > 0;
	await until('a notification', unread);
	return { stack, ada, mina, project, task };
}



/** Pages of somebody without a session. */
export const OUTSIDE = ['#/login', '#/login?ready', '#/sign-up', '#/verify?token=x', '#/forgot', '#/reset?token=x', '#/email?token=x'];

/** Pages with a session: their address, and what is done there before it is looked at. */
export function insidePages({ project, task }) {
	const at = `#/projects/${project}`;
	const openAll = async (page) => {
		for (const summary of await page.locator('main summary').all()) {
			await summary.click();
			await page.waitForTimeout(50);
		}
		await page.waitForLoadState('networkidle');
	};
	const help = async (page) => {
		await page.keyboard.press('?');
		await page.getByRole('dialog').waitFor();
	};
	return [
		['#/', 'My tasks'], ['#/', 'My tasks', help], ['#/projects', 'Projects'], ['#/invitations', 'Invitations'], ['#/notifications', 'Updates'],
		['#/settings', 'Settings'], ['#/settings', 'Settings', openAll],
		...['', '?status=done&sort=-due_on', '/board', '/overview', '/activity', '/people'].map((it) => [at + it, 'Autumn relay']),
		[at, 'Autumn relay', help], [`${at}/board`, 'Autumn relay', help], [`${at}/activity`, 'Autumn relay', openAll],
		[`${at}/tasks/${task.id}`, 'Book the track early'], [`${at}/tasks/${task.id}`, 'Book the track early', openAll],
		[`${at}/tasks/00000000-0000-7000-8000-000000000000`, 'Not found'], ['#/nowhere', 'Not found'],
	];
}


