import * as api from './api.js';
import { empty, h } from './dom.js';
import { field, form } from './form.js';
import { t } from './i18n.js';
import { avatar } from './people.js';
import { projectHref } from './tasks.js';

export const nameForm = (submit, onSubmit, value) => form({ class: 'inline', fields: [field({ name: 'name', label: t('projects.name'), autocomplete: 'off', value })], submit, onSubmit });

/** The projects I am a member of. */
export async function projectsPage() {
	const projects = await api.all('/v1/projects');
	const make = api.creator('/v1/projects');
	const line = ({ id, name, role }) => h('li.row', avatar(name), h('a.grow', { href: projectHref(id) }, name), h('span.hint', t(`role.${role}`)));
	return {
		title: t('nav.projects'),
		node: h('div.narrow', h('h1', t('nav.projects')),
			projects.length > 0 ? h('ul.rows', projects.map(line)) : empty(t('projects.none')),
			h('section.card', h('h2', t('projects.create')), nameForm(t('projects.createSubmit'), async (body) => location.assign(projectHref((await make(body)).id))))),
	};
}
