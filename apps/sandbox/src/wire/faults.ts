import type { IncomingMessage, ServerResponse } from 'node:http';

import { z } from 'zod';

/** The services whose wire can be disturbed. */
export const sandboxServices = ['identity', 'configuration', 'deployments', 'audit'] as const;

/** A service that takes faults and keeps a log of its requests. */
export type SandboxService = (typeof sandboxServices)[number];

/** How many requests the fault meets before it ends by itself; without it the fault stays until cleared. */
const times = z.number().int().positive().optional();

export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('latency'), ms: z.number().int().nonnegative(), times }),
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(400).max(599),
    retryAfterSeconds: z.number().int().nonnegative().optional(),
    times,
  }),
  z.strictObject({ kind: z.literal('reset'), times }),
  z.strictObject({ kind: z.literal('malformed'), times }),
  z.strictObject({ kind: z.literal('drip'), bytesPerSecond: z.number().int().positive(), times }),
  z.strictObject({ kind: z.literal('down') }),
]);

/**
 * What is wrong with a service. `latency` responds late, `status` responds with an error, `reset` tears the connection
 * down, `malformed` responds with 200 and cut-off JSON, `drip` sends the body slowly, `down` refuses connections.
 */
export type Fault = z.infer<typeof faultSchema>;

/** A fault that acts on one request; `down` acts on the listener instead. */
export type RequestFault = Exclude<Fault, { kind: 'down' }>;

/** Disturbs one request, and hands it to `handle` where the fault still leads to a response. */
export function applyFault(
  fault: RequestFault,
  request: IncomingMessage,
  response: ServerResponse,
  handle: () => void,
): void {
  switch (fault.kind) {
    case 'latency': {
      const timer = setTimeout(handle, fault.ms);
      response.once('close', () => clearTimeout(timer));
      return;
    }
    case 'status': {
      const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
      if (fault.retryAfterSeconds !== undefined) {
        headers['retry-after'] = String(fault.retryAfterSeconds);
      }
      response.writeHead(fault.status, headers);
      response.end(JSON.stringify({ type: 'about:blank', title: 'Injected fault', status: fault.status }));
      return;
    }
    case 'reset':
      request.socket.resetAndDestroy();
      return;
    case 'malformed':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"truncated": ');
      return;
    case 'drip':
      dripBody(response, fault.bytesPerSecond);
      handle();
      return;
    default:
      fault satisfies never;
  }
}

/** Holds the body back and sends it in small pieces, about ten a second. */
function dripBody(response: ServerResponse, bytesPerSecond: number): void {
  const pieceBytes = Math.max(1, Math.round(bytesPerSecond / 10));
  const intervalMs = (1000 * pieceBytes) / bytesPerSecond;
  const send = response.write.bind(response);
  const finish = response.end.bind(response);
  const held: Buffer[] = [];
  const hold = (chunk: unknown): void => {
    if (typeof chunk === 'string') {
      held.push(Buffer.from(chunk));
    } else if (chunk instanceof Uint8Array) {
      held.push(Buffer.from(chunk));
    }
  };
  response.write = (chunk: unknown): boolean => {
    hold(chunk);
    return true;
  };
  response.end = (chunk?: unknown): ServerResponse => {
    hold(chunk);
    const body = Buffer.concat(held);
    let sent = 0;
    const timer = setInterval(() => {
      if (sent >= body.length) {
        clearInterval(timer);
        finish();
        return;
      }
      send(body.subarray(sent, sent + pieceBytes));
      sent += pieceBytes;
    }, intervalMs);
    response.once('close', () => clearInterval(timer));
    return response;
  };
}
