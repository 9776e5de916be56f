import {all, request} from './api.js'
import {h, notice, row, t} from './dom.js'
import {field, form, removal} from './form.js'
import {ago} from './i18n.js'
import {avatar, membersOf} from './people.js'
import {nameForm} from './projects.js'
import {current, emailField} from './session.js'
import {projectPath} from './tasks.js'

export async function membersView({project, people}) {
	const path = projectPath(project.id)
	const owns = project.role === 'owner'
	const redraw = () => dispatchEvent(new Event('hashchange'))
	const leave = () => location.assign('#/projects')
	const role = more => field({name: 'role', kind: 'select', options: ['viewer', 'editor', 'owner'].map(it => [it, t(`role.${it}`)]), ...more})

	const member = ({user, name, role: value}) => {
		const mine = user === current().id
		const place = `${path}/members/${user}`
		const failed = ({message}) => {
			choice.write(value)
			choice.show(message)
		}
		const onchange = () => request('PATCH', place, {body: {role: choice.read()}}).then(now => {
			value = now.role
			choice.show('')
			if (mine) redraw()
		}, failed)
		const choice = role({label: `${t('people.role')}: ${name}`, value, disabled: !owns, onchange})
		const line = row([avatar(name), h('strong', name), mine && h('span.mark', t('people.you'))], '', choice.node,
			(owns || mine) && removal(mine ? 'people.leave' : 'people.remove', name, place, mine ? leave : () => line.remove(), {failed}))
		return line
	}
	const invited = `${path}/invitations`
	const invitation = ({id, email, role, invited_at}) => {
		const line = row(h('strong', email), `${t(`role.${role}`)} · ${ago(invited_at)}`, removal('people.withdraw', email, `${invited}/${id}`, () => line.remove()))
		return line
	}
	return h('div.narrow', h('ul.rows', membersOf(people).map(member)), owns && [
		h('section.card', h('h2', t('people.invite')), form({
			fields: [emailField({autocomplete: 'off'}), role({label: t('people.role'), value: 'editor'})],
			submit: t('people.invite'),
			onSubmit: body => request('POST', invited, {body}).then(() => redraw(notice(t('people.invited', body))))
		})),
		h('ul.rows', (await all(invited)).map(invitation)),
		h('section.card', nameForm(t('projects.rename'), body => request('PATCH', path, {body}).then(redraw), project.name, removal('projects.delete', project.name, path, leave, {class: 'danger'})))
	])
}
