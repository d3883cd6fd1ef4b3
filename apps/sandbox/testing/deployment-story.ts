import { expect, vi } from 'vitest';

import type { McpClient } from './clients.ts';

/** One client's way from the list of tools to a finished deployment. */
export interface DeploymentStory {
  readonly service: string;
  readonly version: string;
  readonly environment: 'staging' | 'production';
}

const patiently = { timeout: 60_000, interval: 250 };

/**
 * Does with a client what a model would: looks around, checks, deploys and follows the deployment to its
 * end. Answers with the id of the deployment's task.
 */
export async function tellDeploymentStory(client: McpClient, story: DeploymentStory): Promise<string> {
  const { service, version, environment } = story;

  const tools = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    'list_services',
    'check_deployment_prerequisites',
    'trigger_deployment',
    'check_deployment_status',
    'cancel_deployment',
  ]);

  const services = await client.callTool('list_services', { search: service });
  expect(services.structuredContent).toMatchObject({ total: 1, services: [{ name: service }] });
  expect(textOf(services)).toContain(service);

  const uri = `deployment://config/${service}/${environment}`;
  await expect(client.listResources()).resolves.toContain(uri);
  await expect(client.readResource(uri)).resolves.toMatchObject({ service, environment });

  const template = { type: 'ref/resource', uri: 'deployment://config/{service}/{environment}' } as const;
  await expect(
    client.complete({ ref: template, argument: { name: 'service', value: service.slice(0, 5) } }),
  ).resolves.toContain(service);
  await expect(
    client.complete({ ref: template, argument: { name: 'environment', value: 'st' } }),
  ).resolves.toEqual(['staging']);

  await expect(client.getPrompt('deploy_safely', { ...story })).resolves.toContain(
    `Deploy ${service} ${version} to ${environment}`,
  );

  const check = await client.callTool('check_deployment_prerequisites', { ...story });
  expect(check).toMatchObject({ structuredContent: { ready: true, failed: [] } });
  expect(check.isError).toBeFalsy();
  expect(textOf(check)).toContain(`Ready: ${service} ${version} to ${environment}`);

  const triggered = await client.callTool('trigger_deployment', { ...story });
  const taskId = String(triggered.structuredContent?.['taskId']);
  expect(textOf(triggered)).toContain(taskId);

  const status = await vi.waitFor(async () => {
    const answer = await client.callTool('check_deployment_status', { taskId });
    expect(answer.structuredContent).toMatchObject({ state: 'completed' });
    return answer;
  }, patiently);
  expect(status.structuredContent).toMatchObject({
    what: `${service} ${version} to ${environment}`,
    percent: 100,
  });
  expect(textOf(status)).toContain(`${service} ${version} to ${environment}: completed, 100 %.`);

  await expect(client.readResource(uri)).resolves.toMatchObject({ version });
  return taskId;
}

/** What a model reads of an answer. */
export function textOf({ content }: Awaited<ReturnType<McpClient['callTool']>>): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
}
