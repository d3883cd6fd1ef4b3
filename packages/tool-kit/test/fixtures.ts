import { z } from 'zod';

import type { RequestContext } from '../src/call/operation.ts';
import { definePrompt, type PromptDefinition } from '../src/definition/define-prompt.ts';
import { defineResource, type ResourceDefinition } from '../src/definition/define-resource.ts';
import { defineTool, type ToolDefinition } from '../src/definition/define-tool.ts';
import type {
  AuditIntent,
  AuditOutcome,
  AuditTrail,
  CallMeasurement,
  Caller,
  Logger,
  RateLimiter,
  Telemetry,
} from '../src/ports.ts';

/** A person who may read. */
export function aCaller(overrides: Partial<Caller> = {}): Caller {
  return { id: 'issuer#ada', kind: 'user', groups: [], permissions: ['things:read'], ...overrides };
}

export function aRequest(overrides: Partial<RequestContext> = {}): RequestContext {
  return {
    caller: aCaller(),
    signal: new AbortController().signal,
    era: '2026',
    transport: 'http',
    correlationId: 'reference-1',
    ...overrides,
  };
}

/** A limit for each caller that this counts. */
export function callerLimit(consume: RateLimiter['consume']) {
  return { rateLimiter: { consume }, callerLimit: { perMinute: 100 } };
}

/** A tool that says its input back. */
export function echoTool(overrides: Partial<ToolDefinition> = {}): ToolDefinition {
  return {
    ...defineTool({
      name: 'echo',
      title: 'Echo',
      description: 'Says the text back.',
      input: z.strictObject({ text: z.string().max(20) }),
      output: z.object({ text: z.string() }),
      annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
      permission: 'things:read',
      handle: ({ text }) => Promise.resolve({ text }),
      text: ({ text }) => `It says ${text}.`,
    }),
    ...overrides,
  };
}

/** Ports that remember what they are told. */
export function recordingPorts() {
  const intents: AuditIntent[] = [];
  const outcomes: AuditOutcome[] = [];
  const measurements: CallMeasurement[] = [];
  const logged: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  const log = (level: string) => (fields: object, message: string) =>
    void logged.push({ level, message, fields });
  const audit: AuditTrail = {
    begin(intent) {
      intents.push(intent);
      return Promise.resolve({
        finish(outcome) {
          outcomes.push(outcome);
          return Promise.resolve();
        },
      });
    },
  };
  const telemetry: Telemetry = {
    span: (_name, _attributes, run) => run(),
    recordCall: (call) => void measurements.push(call),
  };
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  return { audit, telemetry, logger, intents, outcomes, measurements, logged };
}

/** Settles never: work that ignores its signal. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** A family of two resources. */
export function aResource(overrides: Partial<ResourceDefinition> = {}): ResourceDefinition {
  const known = ['1', '2'];
  return {
    ...defineResource({
      name: 'thing',
      title: 'Thing',
      description: 'One thing.',
      uriTemplate: 'thing://{id}',
      parameters: z.object({ id: z.string().regex(/^\d+$/u) }),
      permission: 'things:read',
      complete: { id: (prefix) => Promise.resolve(known.filter((id) => id.startsWith(prefix))) },
      list: () => Promise.resolve(known.map((id) => ({ uri: `thing://${id}`, name: `thing ${id}` }))),
      read: ({ id }) => Promise.resolve(known.includes(id) ? { id } : undefined),
    }),
    ...overrides,
  };
}

export function aPrompt(overrides: Partial<PromptDefinition> = {}): PromptDefinition {
  return {
    ...definePrompt({
      name: 'plan',
      title: 'Plan',
      description: 'Plans the work.',
      arguments: z.object({ goal: z.string() }),
      permission: 'things:read',
      complete: { goal: () => Promise.resolve(['peace', 'quiet']) },
      render: ({ goal }) => `Plan how to reach ${goal}.`,
    }),
    ...overrides,
  };
}
