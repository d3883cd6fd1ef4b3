/** A tool with a secret and a description; prints what the audit trail and a client are told. */
export const secretTool = (imports: string): string => `${imports}
const tool = defineTool({
  name: 'sign_in', title: 'Sign in', description: 'Signs a person in.',
  input: z.strictObject({
    user: z.string().describe('Who signs in'),
    password: z.string().meta({ secret: true }).min(1),
  }),
  output: z.object({ ok: z.boolean() }),
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  permission: 'sign-in',
  audit: (input) => ({ arguments: input }),
  handle: async () => ({ ok: true }),
  text: () => 'Signed in.',
});
(async () => {
  let recorded;
  const audit = { begin: async (intent) => { recorded = intent.arguments; return { finish: async () => {} }; } };
  const { methods } = createMethodTable(createCatalog({ tools: [tool] }), { audit });
  const request = {
    caller: { id: 'issuer#ada', kind: 'user', groups: [], permissions: ['sign-in'] },
    signal: new AbortController().signal, era: '2025', transport: 'stdio', correlationId: 'reference-1',
  };
  const params = { name: 'sign_in', arguments: { user: 'ada', password: 'planted-secret' } };
  await methods.get('tools/call')(params, request);
  const { tools } = await methods.get('tools/list')({}, request);
  console.log(JSON.stringify({ recorded, properties: tools[0].inputSchema.properties }));
})();`;

/** A call in a program that traces with OpenTelemetry; prints how many spans it made and what the upstream was sent. */
export const tracedCall = `
import { propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createClient, defineEndpoint } from '@mcp-parts/resilient-client';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
let traceparent;
const server = createServer((request, response) => {
  traceparent = request.headers.traceparent;
  response.setHeader('content-type', 'application/json').end('1');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const client = createClient({ name: 'numbers', baseUrl: 'http://127.0.0.1:' + server.address().port });
const get = defineEndpoint({ id: 'get', method: 'GET', path: '/', response: z.number() });
await client.call(get, {}, { signal: AbortSignal.timeout(30_000) });
await client.close();
server.close();
const spans = exporter.getFinishedSpans();
const isSent = spans.some((span) => traceparent?.includes(span.spanContext().spanId) === true);
console.log(JSON.stringify({ spans: spans.length, isSent }));`;

/** A server's worth of tools, for the compiler. */
export function manyTools(count: number): string {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const tool = (index: number): string => `
const tool${index} = defineTool({
  name: 'tool_${index}',
  title: 'Tool ${index}',
  description: 'Does ${index}.',
  input: z.strictObject({
    service${index}: z.string().regex(/^[a-z-]+$/u).describe('Which'),
    environment: z.enum(['staging', 'production']),
    count: z.int().min(1).default(${index}),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  output: z.object({
    id: z.string(),
    items${index}: z.array(z.object({ name: z.string(), state: z.enum(['up', 'down']), at: z.string().nullable() })),
  }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: { anyOf: ['at:staging', 'at:production'], select: (input) => \`at:\${input.environment}\` },
  audit: (input) => ({ resource: input.service${index}, arguments: input }),
  handle: async ({ service${index}, count }) => ({
    id: service${index},
    items${index}: [{ name: String(count), state: 'up' as const, at: null }],
  }),
  text: (output, input) => \`\${output.items${index}.length} of \${input.count}\`,
});`;
  return `
import { createCatalog, defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';
${numbers.map(tool).join('\n')}
export const catalog = createCatalog({ tools: [${numbers.map((index) => `tool${index}`).join(', ')}] });
`;
}
