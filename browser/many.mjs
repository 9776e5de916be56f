/** So many that nobody can have all of them in a document. */
export const MANY = 5000;
export const STATUSES = ['waiting', 'in_progress', 'done'];
export const PRIORITIES = ['none', 'low', 'medium', 'high', 'urgent'];

/** A project with `MANY` tasks, which differ in everything by their number; the one numbered 0 is the oldest. */
export async function makeMany(person, count = MANY) {
	const project = await person.project('Many');
	const fieldsOf = (number) => ({
		title: `Task ${number}`,
		status: STATUSES[number % STATUSES.length],
		priority: PRIORITIES[number % PRIORITIES.length],
		labels: [`label ${number % 7}`],
		assignee: number % 4 === 0 ? person.id : null,
		due_on: number % 5 === 0 ? `2030-01-${String(number % 28 + 1).padStart(2, '0')}` : null,
	});
	await person.task(project, fieldsOf(0));
	await person.manyTasks(project, count - 1, (number) => fieldsOf(number + 1));
	return project;
}
