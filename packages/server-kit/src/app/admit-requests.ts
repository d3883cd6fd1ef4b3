import type { MethodTable, PreparedCall, RequestContext, TraceContext } from '@mcp-parts/tool-kit';

import type { DeniedRequest, Gate, KnownCaller } from '../gate/gate.ts';
import { isFault, type Running } from '../gate/served-request.ts';
import type { RunningCalls } from '../limits/running-calls.ts';
import { headerOf, type Exchange } from '../wire/exchange.ts';
import type { RequestMessage } from '../wire/message.ts';
import { answerFault, answerRefusal, rpcErrorCodes } from '../wire/rpc-answer.ts';

/** What decides whether requests may begin. */
export interface AdmissionParts {
  readonly table: MethodTable;
  readonly gate: Gate;
  readonly calls: RunningCalls;
}

interface Begun {
  readonly message: RequestMessage;
  readonly running: Running;
  readonly prepared: PreparedCall | undefined;
}

/** Lets requests of one HTTP request begin, all or none; `undefined` after the refusal was sent. */
export async function admitRequests(
  messages: readonly RequestMessage[],
  era: RequestContext['era'],
  { exchange, caller }: { readonly exchange: Exchange; readonly caller: KnownCaller },
  parts: AdmissionParts,
): Promise<readonly Running[] | undefined> {
  const begun: Begun[] = [];
  const leave = () => {
    for (const { running } of begun) {
      running.leave();
    }
  };
  for (const message of messages) {
    const { method } = message;
    // oxlint-disable-next-line no-await-in-loop -- Whoever has reached the limit is refused at the first.
    if (!parts.table.methods.has(method) && !(await isWithinRate(exchange, caller, message, parts))) {
      leave();
      return undefined;
    }
    const running = parts.calls.enter(method, {
      ...originOf(exchange),
      caller,
      traceContext: traceContextOf(exchange),
    });
    if (isFault(running)) {
      leave();
      answerFault(exchange, message.id, running);
      return undefined;
    }
    begun.push({ message, running, prepared: prepare(message, running, exchange, caller, parts) });
  }

  const denied = await denialsOf(begun);
  const challenge = denied.length > 0 ? parts.gate.challengeDenied?.(denied, exchange) : undefined;
  if (challenge === undefined) {
    return begun.map(({ running, prepared }) => withPrepared(running, prepared));
  }
  await Promise.all(
    begun.map(async ({ running, prepared }) => {
      const request = {
        ...originOf(exchange),
        caller,
        era,
        signal: running.signal,
        transport: 'http',
      } as const;
      await prepared?.refuse(request, challenge.reason);
      running.leave();
    }),
  );
  answerRefusal(exchange, challenge);
  return undefined;
}

/**
 * Whether a request that no method of the table answers is within its caller's rate; those of the table count by
 * themselves. If not, the refusal was sent.
 */
export async function isWithinRate(
  exchange: Exchange,
  caller: KnownCaller,
  message: RequestMessage | undefined,
  { table }: Pick<AdmissionParts, 'table'>,
): Promise<boolean> {
  const counted = message?.method === 'ping' ? undefined : table.count?.(caller);
  if (counted === undefined) {
    return true;
  }
  const exceeded = await counted;
  if (exceeded === undefined) {
    return true;
  }
  const seconds = Math.max(1, Math.ceil(exceeded.retryAfterMs / 1_000));
  answerFault(exchange, message?.id, {
    status: 429,
    code: rpcErrorCodes.refused,
    message: `Too many requests. Wait ${seconds} s, then try again.`,
    headers: { 'retry-after': String(seconds) },
  });
  return false;
}

/** Only a gate that knows a cure for denials has to hear of them before the calls run. */
function prepare(
  { method, params = {} }: RequestMessage,
  { signal }: Running,
  { correlationId }: Exchange,
  caller: KnownCaller,
  { table, gate }: AdmissionParts,
): PreparedCall | undefined {
  return gate.challengeDenied === undefined
    ? undefined
    : table.prepare?.(method, params, { caller, signal, correlationId });
}

async function denialsOf(begun: readonly Begun[]): Promise<readonly DeniedRequest[]> {
  const asked = await Promise.all(
    begun.map(async ({ message, prepared }) => ({ message, denial: await prepared?.denial() })),
  );
  return asked.flatMap(({ message, denial }) => (denial === undefined ? [] : [{ message, denial }]));
}

function withPrepared(running: Running, prepared: PreparedCall | undefined): Running {
  return prepared === undefined ? running : { ...running, auth: () => running.auth(prepared) };
}

function originOf({ sourceAddress, correlationId }: Exchange) {
  return { sourceAddress, correlationId };
}

/** The trace that the client's HTTP request belongs to (W3C Trace Context §3). */
function traceContextOf(exchange: Exchange): TraceContext | undefined {
  const traceparent = headerOf(exchange, 'traceparent');
  return traceparent === undefined
    ? undefined
    : { traceparent, tracestate: headerOf(exchange, 'tracestate') };
}
