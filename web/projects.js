import {all, creator, request} from './api.js'
import {button, empty, h, row, t} from './dom.js'
import {field, form} from './form.js'
import {avatar} from './people.js'
import {projectHref} from './tasks.js'

const INVITED = '/v1/me/invitations'
const list = (name, rows, ...more) => ({title: t(`nav.${name}`), node: h('div.narrow', h('h1', t(`nav.${name}`)), rows[0] ? h('ul.rows', rows) : empty(t(`${name}.none`)), more)})

export const nameForm = (submit, onSubmit, value, extra) => form({fields: [field({name: 'name', label: t('projects.name'), autocomplete: 'off', value})], submit, onSubmit, extra})

export async function projectsPage() {
	const make = creator('/v1/projects')
	const line = ({id, name, role}) => h('li.row', avatar(name), h('a.grow', {href: projectHref(id)}, name), h('span.hint', t(`role.${role}`)))
	return list('projects', (await all('/v1/projects')).map(line), h('section.card', h('h2', t('projects.create')),
		nameForm(t('projects.createSubmit'), async body => location.assign(projectHref((await make(body)).id)))))
}

export const waiting = async () => (await all(INVITED)).length

export async function invitationsPage() {
	const line = ({project, project_name: name, invited_by, role}) => {
		const answer = (word, method, path, then, kind) => button(t(word), () => request(method, `${INVITED}/${project}${path}`).then(then),
			{class: kind, 'aria-label': `${t(word)}: ${name}`})
		return row(h('strong', name), t('invitations.as', {name: invited_by, role: t(`role.${role}`)}),
			answer('invitations.accept', 'POST', '/accept', () => location.assign(projectHref(project)), 'primary'),
			answer('invitations.decline', 'DELETE', '', () => dispatchEvent(new Event('hashchange'))))
	}
	return list('invitations', (await all(INVITED)).map(line))
}
