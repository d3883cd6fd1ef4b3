import type { JsonValue } from '@mcp-parts/tool-kit';
import { REVISION } from '@mcp-parts/tool-kit/sdk-2026';
import { classifyInboundRequest } from '@modelcontextprotocol/server';

import { headerOf, type RequestFacts } from '../wire/exchange.ts';
import type { Message } from '../wire/message.ts';
import type { HttpFault } from '../wire/rpc-answer.ts';
import { isPlainEarlierRequest, isPlainRequest } from './plain-request.ts';

/** Which era a message belongs to, or why to none. */
export type Route =
  | { readonly era: 'earlier'; readonly fault?: undefined }
  | { readonly era: '2026'; readonly revision: string | undefined }
  | { readonly era: undefined; readonly fault: HttpFault };

/** Asks the SDK about a message whose shape has been read, so that it and the routing never disagree; `body`: the same as sent. */
export function classify(message: Message, body: unknown, facts: Pick<RequestFacts, 'headers'>): Route {
  if (isPlainRequest(message, facts)) {
    return { era: '2026', revision: REVISION };
  }
  if (isPlainEarlierRequest(message, facts)) {
    return { era: 'earlier' };
  }
  const protocolVersionHeader = headerOf(facts, 'mcp-protocol-version');
  const mcpMethodHeader = headerOf(facts, 'mcp-method');
  const route = classifyInboundRequest({
    httpMethod: 'POST',
    ...(protocolVersionHeader !== undefined && { protocolVersionHeader }),
    ...(mcpMethodHeader !== undefined && { mcpMethodHeader }),
    body,
  });
  switch (route.kind) {
    case 'legacy':
      return { era: 'earlier' };
    case 'modern':
      return { era: '2026', revision: route.classification.revision };
    case 'reject': {
      const { httpStatus: status, code, message: words, data } = route;
      // What the SDK adds to its errors is JSON.
      return { era: undefined, fault: { status, code, message: words, data: data as JsonValue | undefined } };
    }
    default:
      return route satisfies never;
  }
}
