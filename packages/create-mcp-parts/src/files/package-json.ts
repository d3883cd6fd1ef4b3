import type { Features } from './template-text.ts';

/** What a project is called and has. */
export interface ProjectManifest {
  readonly name: string;
  readonly features: Features;
}

/** The manifest of this package: what its templates use is in `devDependencies`, in the ranges that it was tested with. */
export interface TemplateManifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const DEPENDENCIES: Readonly<Record<string, string>> = {
  '@mcp-parts/auth': 'stdio',
  '@mcp-parts/audit': 'audit',
  '@mcp-parts/observability': '',
  '@mcp-parts/redis': 'redis',
  '@mcp-parts/server-kit': '',
  '@mcp-parts/tool-kit': '',
  '@opentelemetry/api': '',
  zod: '',
};

const DEV_DEPENDENCIES: Readonly<Record<string, string>> = {
  '@mcp-parts/testing': '',
  '@modelcontextprotocol/client': '',
  '@types/node': '',
  'create-mcp-parts': '',
  typescript: '',
  vitest: '',
};

/** The package.json of a project. */
export function packageJson({ name, features }: ProjectManifest, manifest: TemplateManifest): string {
  const main = features.has('http') ? 'dist/http.js' : 'dist/stdio.js';
  const scripts = {
    build: 'tsc --project tsconfig.build.json',
    start: `npm run build && node --env-file=.env ${main}`,
    // What is checked once, with the tests, need not be checked again to be emitted.
    test: 'tsc && tsc --project tsconfig.build.json --noCheck && vitest run --testTimeout 30000',
    ...(features.has('stdio') && {
      inspect: 'npm run build && npx @modelcontextprotocol/inspector node --env-file=.env dist/stdio.js',
    }),
    ...(features.has('audit') && {
      audit: 'mcp-audit query --directory state',
      verify: 'mcp-audit verify --directory state',
    }),
  };
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    ...(features.has('stdio') && { bin: { [name]: './dist/stdio.js' } }),
    engines: { node: '>=22.19' },
    scripts,
    dependencies: versionsOf(DEPENDENCIES, features, manifest),
    devDependencies: versionsOf(DEV_DEPENDENCIES, features, manifest),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The range of a package that a project may add later. @throws {Error} when the templates do not use it. */
export function rangeOf(name: string, { version, devDependencies }: TemplateManifest): string {
  const range = name === 'create-mcp-parts' ? `^${version}` : devDependencies[name];
  if (range === undefined) {
    throw new Error(`${name} is not among the devDependencies`);
  }
  return range;
}

function versionsOf(
  wanted: Readonly<Record<string, string>>,
  features: Features,
  manifest: TemplateManifest,
): Record<string, string> {
  const names = Object.keys(wanted).filter((name) => wanted[name] === '' || features.has(wanted[name] ?? ''));
  return Object.fromEntries(names.map((name) => [name, rangeOf(name, manifest)]));
}
