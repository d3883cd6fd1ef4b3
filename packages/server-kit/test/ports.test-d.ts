import type { AuditTrail } from '@mcp-parts/audit';
import type { Policy } from '@mcp-parts/auth';
import type { Telemetry } from '@mcp-parts/observability';
import type { TaskEngine } from '@mcp-parts/tasks';
import type * as ports from '@mcp-parts/tool-kit';
import { expectTypeOf, it } from 'vitest';

it('every leaf fits the port that it stands for', () => {
  expectTypeOf<AuditTrail>().toExtend<ports.AuditTrail>();
  expectTypeOf<Policy>().toExtend<ports.Authorizer>();
  expectTypeOf<TaskEngine>().toExtend<ports.TaskRunner>();
  expectTypeOf<Telemetry>().toExtend<ports.Telemetry>();
});

it('a leaf that asks for more than the port gives does not compile', () => {
  type Narrow<Port, Name extends keyof Port, Argument> = Omit<Port, Name> & {
    readonly [Key in Name]: (
      argument: Argument,
    ) => Port[Name] extends (...of: never) => infer Result ? Result : never;
  };
  type Measurement = Omit<ports.CallMeasurement, 'result'> & { readonly result: 'success' | 'failure' };
  expectTypeOf<Narrow<Telemetry, 'recordCall', Measurement>>().not.toExtend<ports.Telemetry>();
  type Intent = Omit<ports.AuditIntent, 'era'> & { readonly era: '2026' };
  expectTypeOf<Narrow<AuditTrail, 'begin', Intent>>().not.toExtend<ports.AuditTrail>();
  type Start = { readonly kind: string; readonly idempotencyKey: string };
  expectTypeOf<Narrow<TaskEngine, 'start', Start>>().not.toExtend<ports.TaskRunner>();
});
