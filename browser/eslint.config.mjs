import noUnsanitized from 'eslint-plugin-no-unsanitized';

const readonly = (names) => Object.fromEntries(names.trim().split(/\s+/).map((name) => [name, 'readonly']));

const EVERYWHERE = readonly(`
	AbortController AbortSignal Blob BroadcastChannel DOMException Event EventTarget Intl URL URLSearchParams TextEncoder atob clearInterval clearTimeout
	console crypto fetch performance queueMicrotask setInterval setTimeout structuredClone
`);
const BROWSER = readonly(`
	CSS CustomEvent Element FormData HTMLElement IntersectionObserver KeyboardEvent MutationObserver Node NodeFilter PerformanceObserver ResizeObserver
	addEventListener cancelAnimationFrame confirm dispatchEvent document getComputedStyle getSelection history innerHeight innerWidth localStorage
	location matchMedia navigation navigator removeEventListener requestAnimationFrame requestIdleCallback cancelIdleCallback screen scrollBy scrollTo scrollX scrollY
	sessionStorage visualViewport window
`);
const NODE = readonly('Buffer process');

// What takes text for markup or code. Elements come from `h` in dom.js, which takes text for text.
const MARKUP = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTML', 'setHTMLUnsafe', 'parseHTMLUnsafe', 'createContextualFragment', 'srcdoc'];
const reason = 'User text is always text: build elements with h() and put().';

const COMMON = {
	'eqeqeq': 'error',
	'no-const-assign': 'error',
	'no-dupe-args': 'error',
	'no-dupe-keys': 'error',
	'no-duplicate-imports': 'error',
	'no-redeclare': 'error',
	'no-undef': 'error',
	'no-unreachable': 'error',
	'no-unused-vars': 'error',
	'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
	'no-var': 'error',
	'prefer-const': ['error', { destructuring: 'all' }],
};

export default [
	{
		files: ['web/**/*.js'],
		// No comment of a file may switch a rule off.
		linterOptions: { noInlineConfig: true },
		languageOptions: { ecmaVersion: 'latest', sourceType: 'module', globals: { ...EVERYWHERE, ...BROWSER } },
		plugins: { 'no-unsanitized': noUnsanitized },
		rules: {
			...COMMON,
			'no-eval': 'error',
			'no-implied-eval': 'error',
			'no-new-func': 'error',
			'no-script-url': 'error',
			// Of modules a rule of its own below: they come from this folder.
			'no-unsanitized/method': ['error', {}, { import: { properties: [] } }],
			'no-unsanitized/property': 'error',
			'no-restricted-globals': ['error', ...['DOMParser', 'XSLTProcessor', 'Function', 'eval', 'trustedTypes'].map((name) => ({ name, message: reason }))],
			'no-restricted-properties': ['error',
				...MARKUP.map((property) => ({ property, message: reason })),
				...['write', 'writeln', 'execCommand'].map((property) => ({ object: 'document', property, message: reason })),
				...['window', 'globalThis', 'self'].flatMap((object) => ['DOMParser', 'eval', 'Function'].map((property) => ({ object, property, message: reason }))),
			],
			'no-restricted-syntax': ['error',
				// However it is spelled: as a text, in a template, as the key of what is assigned to an element.
				...['Literal[value=', 'TemplateElement[value.raw=', 'Property > Identifier.key[name='].map((it) => ({ selector: `${it}/^(${MARKUP.join('|')})$/]`, message: reason })),
				{ selector: 'CallExpression[callee.property.name=/^setAttribute(NS)?$/] > Literal[value=/^(style|srcdoc|on.*)$/i]', message: 'The CSP allows no inline style or script: use a class, or a listener.' },
				{ selector: 'CallExpression > ObjectExpression > Property[key.name=/^(style|srcdoc)$/][value.type=/Literal$/]', message: 'The CSP allows no inline style: use a class.' },
				{ selector: 'CallExpression > ObjectExpression > Property[key.name=/^on(?!ce$)/][value.type=/Literal$/]', message: 'A listener is a function.' },
				{ selector: 'ImportExpression > .source:not(Literal[value=/^\\.\\//], TemplateLiteral[quasis.0.value.raw="./"])', message: 'Modules come from this folder.' },
			],
		},
	},
	{
		files: ['browser/**/*.mjs'],
		ignores: ['browser/node_modules/**'],
		languageOptions: { ecmaVersion: 'latest', sourceType: 'module', globals: { ...EVERYWHERE, ...BROWSER, ...NODE } },
		rules: COMMON,
	},
];
