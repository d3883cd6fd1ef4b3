import { setTimeout as delay } from 'node:timers/promises';

import { connectPlatform, createDeploymentTools, deploymentInstructions } from '@mcp-parts/deployment-tools';
import { startSandbox } from '@mcp-parts/sandbox';
import { createCatalog, createMethodTable, type JsonObject, type Retry } from '@mcp-parts/tool-kit';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';

import { startRecorder, type Recorded } from './recorder.ts';
import { createTasks } from './tasks.ts';

/** The tokens of one step, as a model reads it that is given the text, or the structured content, or the backends' JSON. */
export interface Step {
  readonly step: string;
  readonly text: number;
  readonly structured: number;
  readonly raw: number;
}

/** The tokens of the list and of every answer on the way of one deployment, from the question to its end. */
export interface Journey {
  readonly instructions: number;
  /** Of the whole `tools/list`. */
  readonly list: number;
  /** Of what clients hand a model of it: names, descriptions and input schemas. */
  readonly listForModels: number;
  readonly steps: readonly Step[];
}

// A Tuesday, 12:00 in New York: production takes deployments.
const OPEN = Date.parse('2026-03-10T16:00:00Z');
const TARGET = { service: 'payment-service', version: '2.4.3', environment: 'production' };

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu;

/** Every id counts like this one: by chance they differ by as many tokens as a short sentence has. */
function tokensOf(text: string): number {
  return countTokens(text.replaceAll(UUID, '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10'));
}

/** Deploys a service of the sandbox with the tools, and counts. */
export async function measureJourney(): Promise<Journey> {
  await using sandbox = await startSandbox({ now: () => new Date(OPEN), deploymentStepMs: 30 });
  await using configuration = await startRecorder(sandbox.urls.configuration);
  await using deployments = await startRecorder(sandbox.urls.deployments);
  await using platform = connectPlatform({
    configurationUrl: configuration.url,
    deploymentsUrl: deployments.url,
    tokenUrl: `${sandbox.urls.identity}/token`,
    ...sandbox.clients.mcpServer,
    resource: sandbox.platformAudience,
  });
  const tools = createDeploymentTools({ ...platform, now: () => OPEN, pollIntervalMs: 10 });
  const tasks = createTasks();
  const table = createMethodTable(createCatalog(tools), { tasks: tasks.runner });
  // A person says yes to whatever the server asks, which no model reads.
  const ask = async (method: string, params: JsonObject, retry?: Retry): Promise<JsonObject> => {
    const handler = table.methods.get(method);
    if (handler === undefined) {
      throw new Error(`no method ${method}`);
    }
    const result = await handler(params, {
      caller: {
        id: 'issuer#ada',
        kind: 'user',
        groups: [],
        permissions: ['deploy:read', 'deploy:production', 'deploy:approve', 'services:delete'],
      },
      signal: new AbortController().signal,
      era: '2026',
      transport: 'http',
      correlationId: 'bench',
      channel: {
        meta: {},
        capabilities: { elicitation: { form: {} } },
        notify: () => undefined,
        log: () => undefined,
        retry,
      },
    });
    if (result['resultType'] !== 'input_required') {
      return result;
    }
    const yes = { action: 'accept', content: { confirm: true } };
    const keys = Object.keys(result['inputRequests'] as JsonObject);
    return ask(method, params, {
      answers: Object.fromEntries(keys.map((key) => [key, yes])),
      state: result['requestState'],
    });
  };

  const steps: Step[] = [];
  async function step(
    name: string,
    tool: string,
    sent: JsonObject,
    rawOf: () => readonly Recorded[] | Promise<readonly Recorded[]>,
  ): Promise<JsonObject> {
    const before = configuration.recorded.length;
    const result = await ask('tools/call', { name: tool, arguments: sent });
    const raw = [...configuration.recorded.slice(before), ...(await rawOf())];
    const content = result['content'] as readonly { readonly text?: string }[];
    const structured = result['structuredContent'] as JsonObject | undefined;
    if (structured === undefined) {
      throw new Error(`${tool} failed: ${JSON.stringify(result)}`);
    }
    steps.push({
      step: name,
      text: tokensOf(content.map(({ text = '' }) => text).join('\n')),
      structured: tokensOf(JSON.stringify(structured)),
      raw: raw.reduce((sum, { body }) => sum + tokensOf(body), 0),
    });
    return structured;
  }
  const none = () => [];
  const latest = () => deployments.recorded.slice(-1);
  const whenRecorded = async (count: number) => {
    while (deployments.recorded.length < count) {
      await delay(5);
    }
    return deployments.recorded.slice(count - 1, count);
  };

  const list = (await ask('tools/list', {}))['tools'] as readonly JsonObject[];
  await step('find the service', 'list_services', { search: 'payment' }, none);
  await step(
    'check, one version withdrawn',
    'check_deployment_prerequisites',
    { ...TARGET, version: '2.4.2' },
    none,
  );
  await step('check, ready', 'check_deployment_prerequisites', TARGET, none);
  const configurationCalls = configuration.recorded.length;
  const { taskId } = await step('trigger', 'trigger_deployment', TARGET, async () => whenRecorded(1));
  // What the task checks again, nobody reads.
  configuration.recorded.splice(configurationCalls);
  for (const count of [3, 8]) {
    await whenRecorded(count);
    await step('status, running', 'check_deployment_status', { taskId }, latest);
  }
  await tasks.ended();
  await step('status, ended', 'check_deployment_status', { taskId }, latest);

  return {
    instructions: countTokens(deploymentInstructions),
    list: countTokens(JSON.stringify(list)),
    listForModels: countTokens(
      JSON.stringify(list.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))),
    ),
    steps,
  };
}
