import * as api from './api.js';
import { empty, h } from './dom.js';
import { field, form } from './form.js';
import { t } from './i18n.js';
import { shortcut } from './keys.js';
import { avatar } from './people.js';
import { projectHref } from './tasks.js';

export const nameField = (value) => field({ name: 'name', label: t('projects.name'), required: true, max: 100, autocomplete: 'off', value });

/** The projects I am a member of. */
export async function projectsPage() {
	const projects = await api.all('/v1/projects');
	const create = api.creator('/v1/projects');
	const input = nameField();
	const tile = ({ id, name, role }) => h('li', h('a.tile', { href: projectHref(id) }, avatar(name, [...name][0]), h('strong.grow', name), h('span.hint', t(`role.${role}`))));
	shortcut('n', t('projects.create'), input.focus);
	return {
		title: t('nav.projects'),
		node: h('div.narrow',
			h('h1', { tabindex: -1 }, t('nav.projects')),
			projects.length === 0 ? empty(t('projects.emptyTitle'), t('projects.empty')) : h('ul.tiles', projects.map(tile)),
			h('section.card', h('h2', t('projects.create')), form({
				class: 'inline',
				fields: [input],
				submit: t('projects.createSubmit'),
				onSubmit: async (values) => location.assign(projectHref((await create(values)).id)),
			}))),
	};
}
