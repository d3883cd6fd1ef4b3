/**
 * What a call costs between the SDK and the handler: the method table alone, with every port answering at once, so that
 * nothing but the pipeline is measured. CPU time per call, beside that of the bare zod parse of the same arguments.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

import {
  createCatalog,
  createMethodTable,
  defineTool,
  type JsonObject,
  type RegisterOptions,
} from '@mcp-parts/tool-kit';
import * as sdk2025 from '@mcp-parts/tool-kit/sdk-2025';
import * as sdk2026 from '@mcp-parts/tool-kit/sdk-2026';
import { McpServer as McpServer2025 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as McpServer2026 } from '@modelcontextprotocol/server';
import { z } from 'zod';

const ROUNDS = 15;
const ROUND_US = 100_000;
const annotations = { readOnly: true, destructive: false, idempotent: true, openWorld: false };
const row = z.strictObject({
  a: z.string().optional(),
  b: z.number().optional(),
  c: z.union([z.string(), z.number()]).optional(),
});

const echo = defineTool({
  name: 'echo',
  title: 'Echo',
  description: 'Says the text back.',
  input: z.strictObject({ text: z.string() }),
  output: z.object({ text: z.string() }),
  annotations,
  permission: 'things:read',
  handle: ({ text }) => Promise.resolve({ text }),
  text: ({ text }) => text,
});
const shown = {
  title: 'T',
  description: 'D.',
  output: echo.output,
  annotations,
  permission: 'things:read',
  handle: () => Promise.resolve({ text: 'ok' }),
  text: () => 'ok',
};
const rows = defineTool({ ...shown, name: 'rows', input: z.strictObject({ rows: z.array(row) }) });
const sealed = defineTool({
  ...shown,
  name: 'sealed',
  input: z.strictObject({
    hidden: z.array(z.string().meta({ sensitive: true })),
    names: z.array(z.string()),
  }),
  audit: ({ names }) => ({ arguments: { names } }),
});
const dummies = Array.from({ length: 20 }, (_, index) => defineTool({ ...echo, name: `dummy_${index}` }));

const table = createMethodTable(createCatalog({ tools: [echo, rows, sealed, ...dummies] }), {
  audit: { begin: () => Promise.resolve({ finish: () => Promise.resolve() }) },
  rateLimiter: { consume: () => Promise.resolve({ allowed: true }) },
  callerLimit: { perMinute: 1_000_000 },
  authorizer: { decide: () => ({ allowed: true, rule: 'bench' }) },
});
const request = {
  caller: { id: 'issuer#ada', kind: 'user', groups: ['a'], permissions: ['things:read'] },
  signal: new AbortController().signal,
  era: '2026',
  transport: 'http',
  correlationId: 'c',
} as const;

const rowsOf = (count: number) => ({
  rows: Array.from({ length: count }, (_, index) => ({ a: `v${index}`, b: index, c: index })),
});
const sealedOf = (count: number) => ({
  hidden: Array.from({ length: count }, (_, index) => `hidden${index}`),
  names: Array.from({ length: count }, (_, index) => `name${index}`),
});

interface Measured {
  readonly method: string;
  readonly params: JsonObject;
  /** The work that any server has to do for it. */
  readonly floor?: (() => unknown) | undefined;
}

const call = (name: string, sent: JsonObject, schema?: z.ZodType): Measured => ({
  method: 'tools/call',
  params: { name, arguments: sent },
  floor: schema && (() => schema.parse(sent)),
});
const measured: Readonly<Record<string, Measured>> = {
  echo: call('echo', { text: 'hello' }, echo.input),
  'rows 10': call('rows', rowsOf(10), rows.input),
  'rows 1000': call('rows', rowsOf(1_000), rows.input),
  'sensitive array beside an audited one, 20000 each': call('sealed', sealedOf(20_000), sealed.input),
  'invalid input': call('echo', { txt: 'hello' }),
  'tools/list of 23': { method: 'tools/list', params: {} },
};

const results: Record<string, { callUs: number; floorUs?: number | undefined }> = {};
for (const [name, { method, params, floor }] of Object.entries(measured)) {
  const handler = table.methods.get(method);
  if (handler === undefined) {
    throw new Error(`no method ${method}`);
  }
  const answer = await handler(params, request);
  if ((answer['isError'] === true) !== (name === 'invalid input')) {
    throw new Error(`wrong answer: ${JSON.stringify(answer)}`);
  }
  const callUs = await cpuOf(() => handler(params, request));
  const floorUs = floor && (await cpuOf(floor));
  results[name] = { callUs, floorUs };
  process.stdout.write(
    `${name.padEnd(50)} ${callUs.toFixed(2).padStart(10)} µs${floorUs === undefined ? '' : `, bare parse ${floorUs.toFixed(2)} µs`}\n`,
  );
}

// A server for each request, as the factories of both SDKs make it.
const registering: RegisterOptions = { origin: () => ({ caller: request.caller, transport: 'http' }) };
const serverInfo = { name: 'bench', version: '1.0.0' };
const factories: Readonly<Record<string, () => unknown>> = {
  'a server of 1.x with a table of 23 tools': () =>
    sdk2025.createServer(table, { serverInfo, ...registering }),
  'a server of 2.x with a table of 23 tools': () =>
    sdk2026.createServer(table, { serverInfo, ...registering }),
  'a McpServer of 1.x with 20 registered tools': () => {
    const server = new McpServer2025(serverInfo);
    for (const tool of dummies) {
      sdk2025.registerTool(server, tool, registering);
    }
  },
  'a McpServer of 2.x with 20 registered tools': () => {
    const server = new McpServer2026(serverInfo);
    for (const tool of dummies) {
      sdk2026.registerTool(server, tool, registering);
    }
  },
};
for (const [name, make] of Object.entries(factories)) {
  const callUs = await cpuOf(make);
  results[name] = { callUs };
  process.stdout.write(`${name.padEnd(50)} ${callUs.toFixed(2).padStart(10)} µs\n`);
}

const folder = new URL('results/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(
  new URL('tool-kit.json', folder),
  `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, rounds: ROUNDS, results }, null, 2)}\n`,
);

/** CPU time of one run, in microseconds: the lower quartile of rounds of the same number of runs, as others use the machine too. */
async function cpuOf(run: () => unknown): Promise<number> {
  let runs = 1;
  // Warms up, too.
  while ((await costOf(run, runs)) * runs < ROUND_US) {
    runs *= 2;
  }
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    costs.push(await costOf(run, runs));
  }
  return costs.toSorted((a, b) => a - b)[ROUNDS >> 2] ?? Number.NaN;
}

async function costOf(run: () => unknown, runs: number): Promise<number> {
  const start = process.cpuUsage();
  for (let count = 0; count < runs; count += 1) {
    await run();
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / runs;
}
