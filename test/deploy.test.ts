import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

import { settings } from '../apps/http-server/src/configuration.ts';
import { createFileDirectory, loadPolicy } from '../packages/auth/src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const kubernetes = join(root, 'deploy/kubernetes');

const environment = await environmentFile(join(kubernetes, 'server.env'));
const kustomization = z
  .object({
    resources: z.array(z.string()),
    configMapGenerator: z.array(
      z.object({
        name: z.string(),
        envs: z.array(z.string()).default([]),
        files: z.array(z.string()).default([]),
      }),
    ),
  })
  .parse(await document('kustomization.yaml'));
const pod = z
  .object({
    spec: z.object({
      template: z.object({
        spec: z.object({
          terminationGracePeriodSeconds: z.number(),
          volumes: z.array(
            z.object({
              name: z.string(),
              configMap: z.object({ name: z.string() }).optional(),
              secret: z.object({ secretName: z.string() }).optional(),
            }),
          ),
          containers: z.tuple([
            z.object({
              ports: z.tuple([z.object({ containerPort: z.number() })]),
              volumeMounts: z.array(
                z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) }),
              ),
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
  .parse(await document('stateful-set.yaml')).spec;
const [container] = pod.template.spec.containers;

describe('deploy/kubernetes', () => {
  it('names only files that exist', async () => {
    const files = kustomization.configMapGenerator.flatMap(({ envs, files: listed }) => [...envs, ...listed]);
    for (const file of [...kustomization.resources, ...files]) {
      await expect(readFile(join(kubernetes, file), 'utf8')).resolves.not.toBe('');
    }
  });

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
    const graceMs = pod.template.spec.terminationGracePeriodSeconds * 1000;
    expect(environment.get('TERMINATION_GRACE_MS')).toBe(String(graceMs));
  });

  it('tells the server to listen on the port that it publishes', () => {
    expect(environment.get('PORT')).toBe(String(container.ports[0].containerPort));
  });

  it('mounts each file that a setting names', async () => {
    const named = [...environment].filter(([name]) => name.endsWith('_FILE')).map(([, file]) => file);
    const mounted = await Promise.all(
      container.volumeMounts.map(({ mountPath }) => filesMountedAt(mountPath)),
    );
    expect(mounted.flat()).toEqual(expect.arrayContaining(named));
  });

  it('keeps what the server writes on the volume of its own replica', () => {
    const durable = pod.volumeClaimTemplates.map(({ metadata }) => metadata.name);
    const mount = container.volumeMounts.find(({ name }) => durable.includes(name));
    expect(environment.get('STATE_DIRECTORY')).toBe(mount?.mountPath);
  });

  it('leaves room on the volume beside the share of the audit trail, which heals by itself', () => {
    const [{ spec }] = pod.volumeClaimTemplates;
    const volumeBytes = Number(/^(\d+)Gi$/u.exec(spec.resources.requests.storage)?.[1]) * 1024 ** 3;
    expect(Number(environment.get('AUDIT_MAX_BYTES'))).toBeGreaterThan(volumeBytes / 2);
    expect(Number(environment.get('AUDIT_MAX_BYTES'))).toBeLessThan(volumeBytes * 0.8);
    expect(Number(environment.get('AUDIT_KEEP_DAYS'))).toBeGreaterThan(0);
  });

  it('ships a policy and a directory that the server accepts', async () => {
    await expect(loadPolicy(join(kubernetes, 'policy/policy.yaml'))).resolves.toBeDefined();
    await expect(
      createFileDirectory({ path: join(kubernetes, 'policy/directory.yaml') }),
    ).resolves.toBeDefined();
  });

  it('holds no secret', async () => {
    const { stringData } = z
      .object({ stringData: z.record(z.string(), z.string()) })
      .parse(await document('secret.example.yaml'));
    expect(Object.values(stringData)).toEqual(['']);
    expect([...environment.keys()].filter((name) => /(SECRET|TOKEN|PASSWORD)$/.test(name))).toEqual([]);
  });
});

describe('deploy/Dockerfile', () => {
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

/** The files that the config maps and the secret put into a folder of the container. */
async function filesMountedAt(folder: string): Promise<string[]> {
  const mount = container.volumeMounts.find(({ mountPath }) => mountPath === folder);
  const volume = pod.template.spec.volumes.find(({ name }) => name === mount?.name);
  const { stringData } = z
    .object({ stringData: z.record(z.string(), z.string()) })
    .parse(await document('secret.example.yaml'));
  const mapped = kustomization.configMapGenerator.find(({ name }) => name === volume?.configMap?.name)?.files;
  const names = volume?.secret === undefined ? (mapped ?? []) : Object.keys(stringData);
  return names.map((name) => `${folder}/${name.replace(/^.*\//, '')}`);
}

async function document(name: string): Promise<unknown> {
  const [first] = parseAllDocuments(await readFile(join(kubernetes, name), 'utf8'), { strict: true });
  return first?.toJS();
}

async function environmentFile(path: string): Promise<Map<string, string>> {
  const lines = (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
}
