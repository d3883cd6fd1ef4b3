import { createCatalog, createMethodTable, type Telemetry, type TraceContext } from '@mcp-parts/tool-kit';
import { expect, it, onTestFinished } from 'vitest';

import { echoApp, legacyCall, modern, openSession, post } from './mcp-requests.ts';
import { talkingTool } from './talking-tool.ts';

/** An endpoint, and the traces that its calls were told to continue. */
function startTraced() {
  const parents: (TraceContext | undefined)[] = [];
  const telemetry: Telemetry = {
    span(_name, _attributes, run, parent) {
      parents.push(parent);
      return run();
    },
    recordCall: () => undefined,
  };
  const app = echoApp({ table: createMethodTable(createCatalog({ tools: [talkingTool] }), { telemetry }) });
  onTestFinished(() => app.close());
  return { app, parents };
}

const call = { name: 'talk', arguments: {} };
const inHeader = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01',
  tracestate: 'a=1',
};
const inRequest = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

it('continues the trace of the request, or that of its transport', async () => {
  const { app, parents } = startTraced();
  const { body, headers } = modern('tools/call', call);
  const { params } = body;
  const traced = { ...body, params: { ...params, _meta: { ...params._meta, ...inRequest } } };

  await post(app, body, headers);
  await post(app, body, { ...headers, ...inHeader });
  await post(app, traced, { ...headers, ...inHeader });

  expect(parents).toEqual([undefined, inHeader, inRequest]);
});

it('does the same in a session', async () => {
  const { app, parents } = startTraced();
  const session = await openSession(app);
  const body = { ...legacyCall(''), params: call };

  await post(app, { ...body, params: { ...call, _meta: inRequest } }, session);
  await post(app, body, { ...session, ...inHeader });

  expect(parents).toEqual([inRequest, inHeader]);
});
