import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = fileURLToPath(new URL('../', import.meta.url));

const repositorySchema = z.object({ repository: z.object({ type: z.literal('git'), url: z.string() }) });
const manifestSchema = repositorySchema.extend({
  repository: repositorySchema.shape.repository.extend({ directory: z.string() }),
  homepage: z.url(),
  bugs: z.object({ url: z.url() }),
  keywords: z.array(z.string()).min(3),
  author: z.string().min(1),
  license: z.literal('Apache-2.0'),
  description: z.string().min(1),
  engines: z.object({ node: z.string() }),
  publishConfig: z.object({ access: z.literal('public') }),
});

const { repository } = repositorySchema.parse(readJson('package.json'));

const published = readdirSync(join(root, 'packages'))
  .map((name) => `packages/${name}`)
  .filter(
    (folder) => z.object({ private: z.boolean().optional() }).parse(readManifest(folder)).private !== true,
  );

describe.each(published)('the manifest of %s', (folder) => {
  it('has what npm shows and needs', () => {
    expect(manifestSchema.safeParse(readManifest(folder)).error).toBeUndefined();
  });

  // npm answers E422 when it publishes with provenance and this is not the repository that the build ran in.
  it('names the repository of the root, and its folder there', () => {
    const manifest = manifestSchema.parse(readManifest(folder));
    expect(manifest.repository).toEqual({ ...repository, directory: folder });
    const url = repository.url.replace(/^git\+/u, '').replace(/\.git$/u, '');
    expect(manifest.homepage).toBe(`${url}/tree/main/${folder}#readme`);
    expect(manifest.bugs.url).toBe(`${url}/issues`);
  });
});

function readManifest(folder: string): unknown {
  return readJson(`${folder}/package.json`);
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
