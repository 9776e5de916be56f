import { all } from './api.js';
import { h } from './dom.js';
import { t } from './i18n.js';

/** Everybody of a project, also who left, by user id. */
export async function peopleOf(project) {
	const members = await all(`/v1/projects/${encodeURIComponent(project)}/members`);
	// An account that was deleted has this for a name, in every language.
	return new Map(members.map((it) => [it.user, it.name === 'former member' ? { ...it, name: t('people.unknown') } : it]));
}

export const nameOf = (people, user) => people.get(user)?.name ?? t('people.unknown');

/** The choices of an assignee field: current members, and who is assigned now even if they left. */
export function assigneeOptions(people, assigned) {
	const choices = [...people.values()].filter((it) => !it.left_at || it.user === assigned).sort((a, b) => a.name.localeCompare(b.name));
	return [['', t('task.nobody')], ...choices.map((it) => [it.user, it.left_at ? t('people.left', { name: it.name }) : it.name])];
}

// A Korean name reads by its last two syllables, a Latin one by its initials.
function initials(name) {
	if (/^[가-힣]{2,4}$/.test(name)) return name.slice(-2);
	const words = name.split(/\s+/);
	return [words[0], words.length > 1 ? words.at(-1) : ''].map((it) => [...it][0]).join('').toUpperCase();
}

/** A few letters on a colour that stays the same for a name. */
export function avatar(name, letters = initials(name)) {
	const hue = [...name].reduce((sum, it) => (sum * 31 + it.codePointAt(0)) % 6, 0);
	return h(`span.avatar.hue-${hue}`, { 'aria-hidden': 'true', title: name }, letters);
}
