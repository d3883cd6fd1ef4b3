import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, Pod, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

import { settings } from '../apps/http-server/src/configuration.ts';
import { createFileDirectory, loadPolicy } from '../packages/auth/src/index.ts';
import { findService } from '../packages/test-services/src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const deploy = join(root, 'deploy');

const resource = z.looseObject({ apiVersion: z.string(), kind: z.string() });
type Resource = z.infer<typeof resource>;

const models = {
  ConfigMap: { Model: ConfigMap, from: 'kubernetes-models/v1' },
  HTTPRoute: {
    Model: HTTPRoute,
    from: '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1',
  },
  HorizontalPodAutoscaler: { Model: HorizontalPodAutoscaler, from: 'kubernetes-models/autoscaling/v2' },
  Ingress: { Model: Ingress, from: 'kubernetes-models/networking.k8s.io/v1' },
  Namespace: { Model: Namespace, from: 'kubernetes-models/v1' },
  NetworkPolicy: { Model: NetworkPolicy, from: 'kubernetes-models/networking.k8s.io/v1' },
  Pod: { Model: Pod, from: 'kubernetes-models/v1' },
  PodDisruptionBudget: { Model: PodDisruptionBudget, from: 'kubernetes-models/policy/v1' },
  PrometheusRule: {
    Model: PrometheusRule,
    from: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  },
  Service: { Model: Service, from: 'kubernetes-models/v1' },
  ServiceMonitor: {
    Model: ServiceMonitor,
    from: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  },
  StatefulSet: { Model: StatefulSet, from: 'kubernetes-models/apps/v1' },
} as const;

function modelOf({ kind }: Resource) {
  const known: Readonly<Record<string, { readonly Model: unknown; readonly from: string }>> = models;
  const model = known[kind];
  if (model === undefined) {
    throw new Error(`no model of ${kind}`);
  }
  return model as { readonly Model: new (data: object) => { validate: () => void }; readonly from: string };
}

function read(text: string): Resource[] {
  return parseAllDocuments(text, { strict: true })
    .map((document) => document.toJS() as unknown)
    .filter((one) => one !== null)
    .map((one) => resource.parse(one));
}

const manifests = read(await readFile(join(deploy, 'kubernetes/mcp-deployments.yaml'), 'utf8'));

const statefulSet = z
  .object({
    spec: z.object({
      template: z.object({
        spec: z.object({
          terminationGracePeriodSeconds: z.number(),
          containers: z.tuple([
            z.object({
              ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
              volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
            }),
          ]),
        }),
      }),
      volumeClaimTemplates: z.tuple([
        z.object({
          metadata: z.object({ name: z.string() }),
          spec: z.object({ resources: z.object({ requests: z.object({ storage: z.string() }) }) }),
        }),
      ]),
    }),
  })
  .parse(manifests.find(({ kind }) => kind === 'StatefulSet')).spec;
const [container] = statefulSet.template.spec.containers;
const environment = new Map(
  Object.entries(
    z
      .object({ data: z.record(z.string(), z.string()) })
      .parse(manifests.find(({ kind }) => kind === 'ConfigMap')).data,
  ),
);

describe('deploy/kubernetes', () => {
  it('sets what the server requires, and nothing that it does not know', () => {
    // The server reads NAME from the file that NAME_FILE names.
    const known = Object.keys(settings).flatMap((name) => [name, `${name}_FILE`]);
    expect([...environment.keys()].filter((name) => !known.includes(name))).toEqual([]);

    const missing = Object.entries(settings)
      .filter(([name, { schema }]) => !schema.safeParse(environment.get(name)).success)
      .filter(([name]) => !environment.has(`${name}_FILE`))
      .map(([name]) => name);
    expect(missing).toEqual([]);
  });

  it('tells the server how long its pod may take to stop', () => {
    const graceMs = statefulSet.template.spec.terminationGracePeriodSeconds * 1000;
    expect(environment.get('TERMINATION_GRACE_MS')).toBe(String(graceMs));
  });

  it('tells the server to listen on the ports that it publishes', () => {
    const ports = new Map(container.ports.map(({ name, containerPort }) => [name, String(containerPort)]));
    expect(environment.get('PORT')).toBe(ports.get('http'));
    expect(environment.get('OPERATOR_PORT')).toBe(ports.get('operator'));
  });

  it('mounts each file that a setting names', () => {
    const named = [...environment].filter(([name]) => name.endsWith('_FILE')).map(([, file]) => file);
    const folders = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(named.filter((file) => !folders.some((folder) => file.startsWith(`${folder}/`)))).toEqual([]);
  });

  it('keeps what the server writes on the volume of its own replica', () => {
    const durable = statefulSet.volumeClaimTemplates.map(({ metadata }) => metadata.name);
    const mount = container.volumeMounts.find(({ name }) => durable.includes(name));
    expect(environment.get('STATE_DIRECTORY')).toBe(mount?.mountPath);
  });

  it('leaves room on the volume beside the share of the audit trail, which heals by itself', () => {
    const [{ spec }] = statefulSet.volumeClaimTemplates;
    const volumeBytes = Number(/^(\d+)Gi$/u.exec(spec.resources.requests.storage)?.[1]) * 1024 ** 3;
    expect(Number(environment.get('AUDIT_MAX_BYTES'))).toBe(volumeBytes * 0.75);
    expect(Number(environment.get('AUDIT_KEEP_DAYS'))).toBeGreaterThan(0);
  });

  it('ships a policy and a directory that the server accepts', async () => {
    await expect(loadPolicy(join(deploy, 'kubernetes/policy/policy.yaml'))).resolves.toBeDefined();
    await expect(
      createFileDirectory({ path: join(deploy, 'kubernetes/policy/directory.yaml') }),
    ).resolves.toBeDefined();
  });

  it('holds no secret', () => {
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect([...environment.keys()].filter((name) => /(SECRET|TOKEN|PASSWORD)$/.test(name))).toEqual([]);
  });
});

const unzip = findService({ program: 'unzip', debianPackage: 'unzip' });
const isThere = unzip !== undefined && process.platform === 'linux' && process.arch === 'x64';

describe.skipIf(!isThere)('deploy/chart', { timeout: 120_000 }, () => {
  const helm = (...args: readonly string[]) => {
    const script = join(root, 'scripts/helm.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const render = (...values: readonly string[]): Resource[] => {
    const { status, stdout, stderr } = helm(
      'template',
      'release',
      'deploy/chart',
      '--kube-version=1.34.0',
      ...values,
    );
    expect(stderr.replaceAll(/^level=INFO.*\n/gmu, '')).toBe('');
    expect(status).toBe(0);
    return read(stdout);
  };
  const set = (...values: readonly string[]) => values.flatMap((value) => ['--set', value]);
  const gateway = set('gateway.enabled=true,gateway.host=mcp.example.com,gateway.parentRefs[0].name=edge');
  const redis = set(
    'existingSecret=mcp,secretFiles.SESSION_KEY_FILE=session-key',
    'redis.enabled=true,redis.passwordKey=redis-password,redis.username=mcp,redis.port=6380',
  );
  const everything = [
    ...gateway,
    ...set(
      'ingress.enabled=true,ingress.host=mcp.example.com,ingress.tlsSecret=mcp',
      'monitoring.serviceMonitor=true,monitoring.rules=true,monitoring.dashboard=true',
      'autoscaling.enabled=true,existingSecret=mcp,secretFiles.PLATFORM_CLIENT_SECRET_FILE=secret',
      `trustedProxies[0]=10.0.0.0/8,image.digest=sha256:${'a'.repeat(64)}`,
    ),
  ];
  const renderings: readonly (readonly [string, readonly string[]])[] = [
    ['as it comes', []],
    ['the deployment server', ['--values=deploy/mcp-deployments.values.yaml']],
    ['behind a gateway', gateway],
    ['on a Redis', redis],
    ['with everything', [...redis, ...everything]],
    [
      'with little',
      set('networkPolicy.enabled=false,policy.existingConfigMap=mine,persistence.storageClass=fast'),
    ],
  ];

  it('is what deploy/kubernetes is rendered from', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/manifests.mjs', '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('passes the linter of Helm', () => {
    expect(helm('lint', '--strict', 'deploy/chart')).toMatchObject({ status: 0 });
  });

  it.each(renderings)('%s: fits the schemas of Kubernetes', (_, values) => {
    for (const one of render(...values)) {
      const { Model } = modelOf(one);
      expect(() => new Model(one).validate()).not.toThrow();
    }
  });

  it('names no field that Kubernetes does not know', async () => {
    const folder = join(root, 'node_modules/.cache/mcp-parts-manifests');
    const resources = renderings.flatMap(([, values]) => render(...values));
    // The compiler takes no member that a type does not have; the schemas do.
    const source = resources.map((one, index) => {
      const { from } = modelOf(one);
      return `import type { I${one.kind} as T${index} } from '${from}';\nexport const r${index}: T${index} = ${JSON.stringify(one)};\n`;
    });
    await mkdir(folder, { recursive: true });
    try {
      await writeFile(join(folder, 'package.json'), '{"type":"module"}');
      await writeFile(join(folder, 'manifests.ts'), source.join(''));
      const args = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
      const { status, stdout } = spawnSync(
        join(root, 'node_modules/.bin/tsc'),
        ['--ignoreConfig', ...args, join(folder, 'manifests.ts')],
        { encoding: 'utf8' },
      );
      expect(stdout).toBe('');
      expect(status).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    ['a value that there is not', ['--set', 'replica=3'], 'additional properties'],
    [
      'a setting that the chart decides',
      ['--set-string', 'settings.PORT=8080'],
      'settings.PORT is set by the chart',
    ],
    ['a digest that is none', ['--set', 'image.digest=latest'], 'does not match pattern'],
    ['a Redis without the secret', ['--set', 'redis.enabled=true'], 'redis.enabled needs existingSecret'],
    [
      'a Redis without a key for all',
      ['--set', 'redis.enabled=true,existingSecret=mcp'],
      'redis.enabled needs SESSION_KEY_FILE',
    ],
    ['a route without a host', ['--set', 'ingress.enabled=true'], 'ingress.host is required'],
  ])('refuses %s', (_, values, problem) => {
    const { status, stderr } = helm('template', 'release', 'deploy/chart', ...values);
    expect(status).not.toBe(0);
    expect(stderr).toContain(problem);
  });

  it('tells the servers where their Redis is, and lets them there', () => {
    const rendered = render(...redis);
    const { data } = z
      .object({ data: z.record(z.string(), z.string()) })
      .parse(rendered.find(({ kind }) => kind === 'ConfigMap'));
    const told = Object.entries(data).filter(([name]) => name.startsWith('REDIS_'));
    expect(Object.fromEntries(told)).toEqual({
      REDIS_URL_FILE: '/run/secrets/mcp-server/redis-url',
      REDIS_PASSWORD_FILE: '/run/secrets/mcp-server/redis-password',
      REDIS_USERNAME: 'mcp',
    });
    const known = Object.keys(settings).flatMap((name) => [name, `${name}_FILE`]);
    expect(Object.keys(data).filter((name) => !known.includes(name))).toEqual([]);
    expect(rendered.find(({ kind }) => kind === 'NetworkPolicy')).toMatchObject({
      spec: {
        egress: expect.arrayContaining([
          {
            to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'redis' } } }],
            ports: [{ protocol: 'TCP', port: 6380 }],
          },
        ]),
      },
    });
  });

  it('renders the example of its page', async () => {
    const page = await readFile(join(deploy, 'README.md'), 'utf8');
    const directory = await mkdtemp(join(tmpdir(), 'mcp-values-'));
    try {
      await writeFile(join(directory, 'values.yaml'), /^```yaml\n(.*?)^```$/msu.exec(page)?.[1] ?? '');
      const kinds = render(`--values=${join(directory, 'values.yaml')}`).map(({ kind }) => kind);
      expect(kinds).toContain('HTTPRoute');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('gives a container nothing that it does not need', () => {
    const pods = render(...everything).filter(({ kind }) => kind === 'StatefulSet' || kind === 'Pod');
    const found = JSON.stringify(pods);
    expect(pods).toHaveLength(2);
    expect(found.match(/"allowPrivilegeEscalation":false/gu)).toHaveLength(2);
    expect(found.match(/"readOnlyRootFilesystem":true/gu)).toHaveLength(2);
    expect(found.match(/"drop":\["ALL"\]/gu)).toHaveLength(2);
    expect(found.match(/"automountServiceAccountToken":false/gu)).toHaveLength(2);
  });
});

describe('deploy/Dockerfile', () => {
  it.each([
    ['@mcp-parts/http-server', /^pkg:npm\/ldapts@/u],
    ['@mcp-parts/sandbox', /^pkg:npm\/oidc-provider@/u],
  ])('puts %s, licence and bill of materials inside', { timeout: 120_000 }, async (app, dependency) => {
    const dockerfile = await readFile(join(root, 'deploy/Dockerfile'), 'utf8');
    const steps = dockerfile.replaceAll(' \\\n', '');
    const [deploy = ''] = /pnpm --filter "\$APP" deploy --prod \/app/u.exec(steps) ?? [];
    const [, inside = ''] = /^RUN (cp LICENSE .*)$/mu.exec(steps) ?? [];
    const directory = await mkdtemp(join(tmpdir(), 'mcp-image-'));
    try {
      const folder = join(directory, 'app');
      const commands = `${deploy} --offline && ${inside}`.replaceAll('/app', folder);
      const { status, stderr } = spawnSync('sh', ['-ec', commands], {
        cwd: root,
        env: { ...process.env, APP: app },
        encoding: 'utf8',
      });
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(await readFile(join(folder, 'LICENSE'), 'utf8')).toContain('Apache License');
      const bill = z
        .object({ bomFormat: z.literal('CycloneDX'), components: z.array(z.object({ purl: z.string() })) })
        .parse(JSON.parse(await readFile(join(folder, 'sbom.cdx.json'), 'utf8')));
      const packages = bill.components.map(({ purl }) => purl);
      expect(packages).toContainEqual(expect.stringMatching(dependency));
      expect(packages).not.toContainEqual(expect.stringMatching(/^pkg:npm\/vitest@/u));
      const program = /^CMD \["node", .*"(.*)"\]$/mu.exec(dockerfile)?.[1] ?? '';
      const started = spawnSync(process.execPath, [program, '--help'], { cwd: folder, encoding: 'utf8' });
      expect(started).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage: mcp-') });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('builds with the tools of the workspace', async () => {
    const dockerfile = await readFile(join(root, 'deploy/Dockerfile'), 'utf8');
    const { packageManager } = z
      .object({ packageManager: z.string() })
      .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    const node = (await readFile(join(root, '.nvmrc'), 'utf8')).trim();
    expect(dockerfile).toContain(`npm install --global ${packageManager}\n`);
    expect([...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)).toEqual([
      `node:${node}-slim`,
      `node:${node}-slim`,
    ]);
  });
});
