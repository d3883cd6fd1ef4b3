import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import {
  createDigest,
  createProtectedTrail,
  openPersonalKeys,
  type AuditTrail,
  type AuditTrailOptions,
  type TrailAdoption,
} from '@mcp-parts/audit';
import { createTelemetry, type Telemetry } from '@mcp-parts/observability';
import { openTaskEngine, type TaskEngineOptions, type TaskLimits } from '@mcp-parts/tasks';
import { outcomeOfTask, type Logger } from '@mcp-parts/tool-kit';

import { atMost } from '../at-most.ts';
import { observeAudit, observeOrphans } from './metrics/audit-metrics.ts';
import { measureTasks } from './metrics/task-metrics.ts';
import type { ServerAudit, ServerPorts, ServerTasks } from './server-ports.ts';
import { openSessionKey } from './session-key.ts';
import type { ShutdownPlan } from './shutdown-budget.ts';
import { openState } from './state-directory.ts';

/** What the parts are opened with. */
export interface PartsOptions {
  readonly logger: Logger;
  readonly serverInfo: { readonly name: string; readonly version: string };
  readonly stateDirectory: string | undefined;
  readonly tasks: TaskLimits;
  /** The tools that are long-running, and whether they only read. */
  readonly longRunning: ReadonlyMap<string, { readonly readOnly: boolean }>;
  readonly audit: Omit<AuditTrailOptions, 'directory' | 'logger' | 'server' | 'closeTimeoutMs'>;
  readonly auditDigestKey: Uint8Array | undefined;
  readonly shutdown: ShutdownPlan;
  readonly ports: ServerPorts;
}

/** The parts of a server, whether it made them or was given them. */
export interface OpenParts {
  readonly audit: ServerAudit;
  readonly tasks: ServerTasks | undefined;
  readonly telemetry: Telemetry;
  readonly sessionKey: () => Promise<Uint8Array>;
  /** Closes the tasks, and what was made here. */
  readonly close: (tasksMs: number) => Promise<void>;
}

/** What the task engine gives handlers to end once it has aborted them. */
const TASK_ABORT_MS = 1_000;

/**
 * Takes the parts that are given and makes the others, in the state directory.
 *
 * @throws {TypeError} without a state directory for what needs one.
 * @throws {Error} when the state directory cannot be used.
 */
export async function openParts(options: PartsOptions): Promise<OpenParts> {
  const { serverInfo, stateDirectory, logger, shutdown, ports } = options;
  const { name, version } = serverInfo;
  const telemetry = ports.telemetry ?? createTelemetry({ serviceName: name, serviceVersion: version });
  const measured = measureTasks(telemetry);
  const taskOptions = { ...options.tasks, logger, observer: measured.observer };
  const given = ports.taskStore && (await openTaskEngine({ ...taskOptions, store: ports.taskStore }));
  const own = await openOwn(options, given, taskOptions);
  const audit = ports.audit ?? own.audit;
  if (audit === undefined) {
    throw new TypeError('stateDirectory: required for the audit trail, unless ports has an audit');
  }
  const tasks = given ?? own.tasks;
  const { health } = audit;
  if (health !== undefined) {
    observeAudit(telemetry, { health });
  }
  if (options.longRunning.size > 0 && tasks?.figures !== undefined) {
    measured.observe(tasks.figures);
  }
  if (own.adoption !== undefined) {
    observeOrphans(telemetry, own.adoption);
  }
  return {
    audit,
    tasks,
    telemetry,
    sessionKey: async () =>
      stateDirectory === undefined ? randomBytes(32) : openSessionKey(join(stateDirectory, 'session-key')),
    async close(tasksMs) {
      await tasks?.close({ deadlineMs: Math.round(tasksMs - Math.min(TASK_ABORT_MS, tasksMs / 2)) });
      // At the same time: each may take all of the time for the audit events.
      await Promise.all([own.adoption?.close(), own.audit?.close()]);
      if (ports.telemetry === undefined) {
        await atMost(shutdown.telemetryMs, telemetry.shutdown());
      }
    },
  };
}

interface OwnParts {
  readonly audit?: AuditTrail | undefined;
  readonly tasks?: ServerTasks | undefined;
  readonly adoption?: TrailAdoption | undefined;
}

async function openOwn(
  options: PartsOptions,
  given: ServerTasks | undefined,
  taskOptions: Omit<TaskEngineOptions, 'store'>,
): Promise<OwnParts> {
  const { stateDirectory, longRunning, logger, ports, auditDigestKey, shutdown, serverInfo } = options;
  if (stateDirectory === undefined) {
    if (longRunning.size > 0 && given === undefined) {
      throw new TypeError('stateDirectory: required for the tasks, unless ports has a taskStore');
    }
    return {};
  }
  const hasTrail = ports.audit === undefined;
  const digest = auditDigestKey && createDigest(auditDigestKey);
  const personalKeys = hasTrail ? await openPersonalKeys(join(stateDirectory, 'personal-keys')) : undefined;
  const { audit, tasks, adoption } = await openState({
    directory: stateDirectory,
    audit: hasTrail
      ? {
          ...options.audit,
          closeTimeoutMs: shutdown.auditMs,
          server: { name: serverInfo.name, version: serverInfo.version },
        }
      : undefined,
    tasks: given,
    taskOptions,
    outcomeOfTask: (task) => outcomeOfTask(task, longRunning.get(task.kind) ?? { readOnly: false }),
    logger,
  });
  return {
    audit: audit && createProtectedTrail(audit, { personalKeys, digest, logger }),
    tasks,
    adoption,
  };
}
