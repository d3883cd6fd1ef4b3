import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startIssuer } from '@mcp-parts/testing';
import { expect, it } from 'vitest';

import { startHttp } from './http-program.ts';
import { stateDirectory } from './program.ts';

const AUDIENCE = 'https://my-server.example.com/mcp';

it('asks who is calling, and does what the policy says', async () => {
  await using issuer = await startIssuer();
  await using files = await stateDirectory();
  const directory = join(files.path, 'directory.yaml');
  const users = {
    [`${issuer.url}#ann`]: { groups: ['agents'] },
    [`${issuer.url}#rob`]: { groups: ['readers'] },
  };
  // JSON is YAML.
  await writeFile(directory, `${JSON.stringify({ version: 1, users })}\n`);
  await using server = await startHttp({
    AUTH_ISSUER: issuer.url,
    AUTH_AUDIENCE: AUDIENCE,
    DIRECTORY_FILE: directory,
  });
  const scopes = ['tickets:read', 'tickets:write'];
  const tokenOf = (subject: string) => issuer.tokenFor({ subject, audience: AUDIENCE, scopes });

  const stranger = await fetch(server.url, { method: 'POST' });
  const ann = await server.connect(await tokenOf('ann'));
  const rob = await server.connect(await tokenOf('rob'));

  expect(stranger.status).toBe(401);
  const created = await ann.callTool({ name: 'create_ticket', arguments: { title: 'The door squeaks' } });
  expect(created.structuredContent).toMatchObject({ id: 'T-3' });
  const { tools } = await rob.listTools();
  expect(tools.map(({ name }) => name)).not.toContain('create_ticket');
  await Promise.all([ann.close(), rob.close()]);
});
