import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DefaultTheme } from 'vitepress';

import { pageOf, REFERENCE_FOLDER, root } from './places.ts';

type Item = DefaultTheme.SidebarItem;

const START = [
  'start',
  'add-a-tool',
  'call-a-backend',
  'protect',
  'confirm',
  'long-work',
  'audit',
  'connect',
];
const RUN = ['deploy', 'scale-out', 'observe', 'upgrade'];
const DECIDE = ['build-or-take', 'move-over'];

/** The pages of the guide, in the order in which one reads them. */
export const GUIDE: readonly string[] = [...START, ...RUN, ...DECIDE].map((name) => `guide/${name}.md`);

/** The packages in the order in which one meets them. */
const PACKAGES = [
  'create-mcp-parts',
  'tool-kit',
  'server-kit',
  'resilient-client',
  'auth',
  'audit',
  'tasks',
  'observability',
  'redis',
  'testing',
  'tools',
  'deployment-tools',
];

/** What is at the top of each page. */
export const top: DefaultTheme.NavItem[] = [
  { text: 'Guide', link: '/guide/start', activeMatch: '^/guide/' },
  { text: 'Packages', link: '/packages/tool-kit', activeMatch: '^/packages/' },
  { text: 'Operations', link: '/operations/', activeMatch: '^/(operations|runbooks)/' },
  { text: 'API', link: '/api/', activeMatch: '^/api/' },
  { text: 'Troubleshooting', link: '/troubleshooting' },
];

/** What is at the side of each page. */
export function side(): DefaultTheme.Sidebar {
  const guide: Item[] = [
    { text: 'Build', items: START.map((name) => itemOf(`docs/guide/${name}.md`)) },
    { text: 'Run', items: RUN.map((name) => itemOf(`docs/guide/${name}.md`)) },
    {
      text: 'Decide',
      items: [
        ...DECIDE.map((name) => itemOf(`docs/guide/${name}.md`)),
        itemOf('docs/threat-model.md'),
        itemOf('docs/authorization-duties.md'),
        itemOf('docs/cost.md'),
      ],
    },
    { text: 'When something is wrong', items: [itemOf('docs/troubleshooting.md')] },
    {
      text: 'In depth',
      collapsed: true,
      items: [
        itemOf('docs/auth.md'),
        itemOf('docs/identity-providers.md'),
        itemOf('docs/audit.md'),
        itemOf('docs/resilient-client.md'),
        itemOf('docs/stdio-start.md'),
        itemOf('docs/platforms.md'),
        itemOf('ARCHITECTURE.md'),
        itemOf('examples/README.md'),
      ],
    },
    { text: 'Programs', collapsed: true, items: readmesIn('apps') },
    {
      text: 'The project',
      collapsed: true,
      items: [itemOf('CONTRIBUTING.md'), itemOf('docs/releasing.md'), itemOf('docs/decisions/README.md')],
    },
  ];
  const operations: Item[] = [
    { text: 'Operations', items: pagesIn('docs/operations') },
    { text: 'To look at', items: [itemOf('docs/console.md'), itemOf('deploy/README.md')] },
    { text: 'Runbooks', items: pagesIn('docs/runbooks') },
  ];
  return {
    '/': guide,
    '/packages/': [
      { text: 'Packages', items: PACKAGES.map((name) => itemOf(`packages/${name}/README.md`, name)) },
    ],
    '/operations/': operations,
    '/runbooks/': operations,
    '/decisions/': [{ text: 'Decisions', items: pagesIn('docs/decisions') }],
    '/api/': [{ text: 'API', items: reference() }],
  };
}

/** All pages of a folder, its overview first. */
function pagesIn(folder: string): Item[] {
  const names = readdirSync(join(root, folder)).filter(
    (name) => name.endsWith('.md') && name !== 'README.md',
  );
  return ['README.md', ...names.toSorted()].map((name) => itemOf(`${folder}/${name}`));
}

function readmesIn(folder: string): Item[] {
  return readdirSync(join(root, folder))
    .filter((name) => existsSync(join(root, folder, name, 'README.md')))
    .map((name) => itemOf(`${folder}/${name}/README.md`, name));
}

/** The entry points of each package, below the main one. */
function reference(): Item[] {
  return PACKAGES.filter((name) => existsSync(join(root, REFERENCE_FOLDER, `${name}.md`))).map((name) => {
    const folder = join(root, REFERENCE_FOLDER, name);
    const others = existsSync(folder) ? readdirSync(folder).toSorted() : [];
    return {
      text: name,
      link: `/api/${name}`,
      items: others.map((file) => itemOf(`${REFERENCE_FOLDER}/${name}/${file}`)),
    };
  });
}

/** A page by its title. */
function itemOf(file: string, text = titleOf(file)): Item {
  return { text, link: `/${pageOf(file).replace(/(?:index)?\.md$/u, '')}` };
}

/** The first heading of a file, without its marks. */
function titleOf(file: string): string {
  const title = /^# (?<title>.+)$/mu.exec(readFileSync(join(root, file), 'utf8'))?.groups?.['title'] ?? file;
  return title.replaceAll('`', '').replace('@mcp-parts/', '');
}
