import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { authSettings } from '../auth-profile.ts';
import { resolveProjectOptions, type ProjectOptions } from '../project-options.ts';
import { clientFiles } from './client-files.ts';
import { packageJson, type ProjectManifest, type TemplateManifest } from './package-json.ts';
import { hasFeature, textFor, type Features } from './template-text.ts';

/** Files of the template that not every project has, and the name of those that stand in for another. */
const CONDITIONS: Readonly<Record<string, readonly [feature: string, name?: string]>> = {
  'src/stdio.ts': ['stdio'],
  'test/stdio.test.ts': ['stdio'],
  'src/http.ts': ['http'],
  'src/access.ts': ['auth'],
  'src/access.none.ts': ['open', 'src/access.ts'],
  'src/shared.ts': ['redis'],
  'src/tools/export-tickets.ts': ['tasks'],
  'test/export.test.ts': ['tasks'],
  'test/http-program.ts': ['http'],
  'test/http.test.ts': ['auth'],
  'test/http.none.test.ts': ['open', 'test/http.test.ts'],
  'policy.yaml': ['http'],
  'directory.yaml': ['auth'],
  Dockerfile: ['http'],
  '.dockerignore': ['http'],
  'deploy/values.yaml': ['http'],
};

/** The files of a new project: their contents by their paths in it. */
export async function projectFiles(
  options: ProjectOptions,
  templateFolder: string,
  manifest: TemplateManifest,
): Promise<ReadonlyMap<string, string>> {
  const resolved = resolveProjectOptions(options);
  const { name, auth, transport } = resolved;
  const features = featuresOf(options);
  const serverUrl = `https://${name}.example.com/mcp`;
  const settings = authSettings(auth, serverUrl);
  const fill = (text: string): string =>
    textFor(text, features)
      .replace('{{auth-values}}\n', settings.map(([key, value]) => `  ${key}: ${value}\n`).join(''))
      .replace('{{auth-readme}}', authReadme(auth))
      .replaceAll('My server', titleOf(name))
      .replaceAll('my-server', name);

  const files = new Map<string, string>();
  const entries = await readdir(templateFolder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    // npm would not publish a .gitignore, and tools would take a tsconfig.json for ours.
    const source = path
      .slice(templateFolder.length + 1)
      .replaceAll(sep, '/')
      .replace(/\.template$/u, '');
    const [feature, target = source] = CONDITIONS[source] ?? [];
    if (feature === undefined || hasFeature(features, feature)) {
      files.set(target, fill(await readFile(path, 'utf8')));
    }
  }
  const project: ProjectManifest = { name, features };
  files.set('package.json', packageJson(project, manifest));
  for (const [path, text] of clientFiles(name, transport)) {
    files.set(path, text);
  }
  const environment = environmentOf(features, settings);
  files.set('.env', environment);
  files.set('.env.example', environment);
  return files;
}

function featuresOf(options: ProjectOptions): Features {
  const { transport, auth, audit, tasks, redis } = resolveProjectOptions(options);
  const has = {
    stdio: transport !== 'http',
    http: transport !== 'stdio',
    auth: auth !== 'none',
    // Over HTTP, for everybody on this machine.
    open: transport !== 'stdio' && auth === 'none',
    audit,
    tasks,
    redis,
  };
  return new Set(Object.entries(has).flatMap(([name, isOn]) => (isOn ? [name] : [])));
}

/** The settings to start with, for `node --env-file`. */
function environmentOf(features: Features, auth: readonly (readonly [string, string])[]): string {
  const lines = [
    '# Settings of the server; `--help` of it lists all there are. This file stays on this machine: see .gitignore.',
    'STATE_DIRECTORY=state',
    ...(features.has('http') ? ['PORT=3000', 'POLICY_FILE=policy.yaml'] : []),
    ...(features.has('auth')
      ? [
          '# Replace these: https://github.com/mcp-parts/mcp-parts/blob/main/docs/identity-providers.md',
          ...auth.map(([key, value]) => `${key}=${value}`),
          'DIRECTORY_FILE=directory.yaml',
        ]
      : []),
    ...(features.has('audit') ? ['# AUDIT_COLLECTOR_URL=https://audit.example.com/v1/events'] : []),
    ...(features.has('redis') ? ['# REDIS_URL=redis://127.0.0.1:6379'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function authReadme(auth: string): string {
  return auth === 'none'
    ? `Nobody is asked who they are: the server listens on loopback only, and everybody there may read and not write. For a
team, let an identity provider say who is calling: \`npm create mcp-parts@latest -- --help\` names those that are known.`
    : `Who is calling, the access tokens of your identity provider say (\`AUTH_…\` in \`.env\`; what to set there is in
[identity providers](https://github.com/mcp-parts/mcp-parts/blob/main/docs/identity-providers.md#readme)). What they may do
stands in \`policy.yaml\`, and who is in which group in \`directory.yaml\`.`;
}

function titleOf(name: string): string {
  const words = name.replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
