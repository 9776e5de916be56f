import {all} from './api.js'
import {h, t} from './dom.js'

export const peopleOf = async project => new Map((await all(`/v1/projects/${encodeURIComponent(project)}/members`)).map(it => [it.user, it]))

export const nameOf = (people, user) => people.get(user)?.name ?? t('people.unknown')

export const membersOf = (people, also) => [...people.values()].filter(it => !it.left_at || it.user === also).sort((a, b) => a.name.localeCompare(b.name))

export const assigneeOptions = (people, assigned) => [['', t('task.nobody')],
	...membersOf(people, assigned).map(({user, name, left_at}) => [user, left_at ? t('people.left', {name}) : name])]

export function avatar(name) {
	const element = h('span.avatar', {'aria-hidden': 'true', title: name}, /\P{C}/u.exec(name)?.[0])
	element.style.background = `oklch(50% .13 ${[...name].reduce((sum, it) => (sum * 31 + it.codePointAt(0)) % 360, 0)})`
	return element
}
