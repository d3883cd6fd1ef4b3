import { z } from 'zod';

import { platformAudience } from '../src/identity/resources.ts';
import type { Sandbox } from '../src/index.ts';

/** A JSON request as the MCP server would send it, with a platform token of all its scopes unless told otherwise. */
export async function send(
  sandbox: Sandbox,
  service: 'configuration' | 'deployments' | 'audit',
  path: string,
  options: { method?: string; body?: unknown; headers?: Record<string, string>; token?: string } = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const token =
    options.token ??
    (await sandbox.issueServiceToken('mcp-server', {
      resource: platformAudience,
      scopes: ['platform:read', 'platform:deploy', 'audit:write'],
    }));
  const response = await fetch(`${sandbox.urls[service]}${path}`, {
    method: options.method ?? 'GET',
    headers: {
      authorization: `Bearer ${token}`,
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const body = z.record(z.string(), z.unknown()).parse(await response.json());
  return { status: response.status, headers: response.headers, body };
}
