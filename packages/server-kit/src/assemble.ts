import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';

import {
  createDigest,
  openPersonalKeys,
  createProtectedTrail,
  type AnchorKeeper,
  type AuditSigner,
  type AuditSink,
  type AuditTrail,
} from '@mcp-parts/audit';
import type { FactAges } from '@mcp-parts/auth';
import { createTelemetry, type Telemetry } from '@mcp-parts/observability';
import type { TaskEngine } from '@mcp-parts/tasks';
import {
  createCatalog,
  createMethodTable,
  resolveCallLimits,
  type Authorizer,
  type BindingOptions,
  type CallLimits,
  type Hook,
  type CatalogDefinitions,
  type Logger,
  type MethodTable,
  type RateLimiter,
} from '@mcp-parts/tool-kit';

import { observeAudit } from './server/audit-metrics.ts';
import { observeFacts } from './server/fact-metrics.ts';
import { resolveRateLimitOptions, type RateLimitOptions } from './server/rate-limit-options.ts';
import { createRateLimiter } from './server/rate-limiter.ts';
import { createReadiness, type Probe, type Readiness } from './server/readiness.ts';
import { openSessionKey } from './server/session-key.ts';
import { planShutdown, type ShutdownOptions, type ShutdownPlan } from './server/shutdown-budget.ts';
import { openState } from './server/state-directory.ts';

/** The parts of a server, by what they are for. */
export interface AssembleOptions
  extends RateLimitOptions, CallLimits, Pick<ShutdownOptions, 'terminationGraceMs'> {
  readonly serverInfo: BindingOptions['serverInfo'];
  /** Told to the model once. */
  readonly instructions?: string | undefined;
  readonly definitions: CatalogDefinitions;
  /** The policy; see `loadPolicy` of `@mcp-parts/auth`. @default a call needs its permission by name */
  readonly authorizer?: Authorizer | undefined;
  /** Around every handler, the first one outermost. @default none */
  readonly hooks?: readonly Hook[] | undefined;
  readonly logger: Logger;
  /**
   * Holds the audit trail and the tasks, on a local disk. Processes that share it take a numbered directory each;
   * what a process leaves undone, the next one in its directory finishes. `personal-keys` in it holds a key for each
   * person, with which names and e-mail addresses in the trail are sealed.
   */
  readonly stateDirectory: string;
  /** Where audit events are shipped, such as `createCollectorSink`. @default they stay in the state directory */
  readonly auditSinks?: readonly AuditSink[] | undefined;
  /** How long delivered events are kept in the state directory, in days. @default they are never removed */
  readonly auditKeepDays?: number | undefined;
  /**
   * The share of the disk that the audit trail of a process may take, in bytes, from 1 MiB: when it is used up, nothing
   * that must be recorded is done. @default 16 GiB
   */
  readonly auditMaxBytes?: number | undefined;
  /**
   * How much of the disk refused requests may take in a day, in bytes, from 65536: half for strangers, half for callers.
   * @default 64 MiB
   */
  readonly auditRefusalBytesPerDay?: number | undefined;
  /** Makes digests of arguments whose values are not kept; at least 32 bytes. @default only their names are kept */
  readonly auditDigestKey?: Uint8Array | undefined;
  /** Who keeps the last signed checkpoint outside, besides the sinks that do. @default nobody */
  readonly auditAnchors?: readonly AnchorKeeper[] | undefined;
  /** Signs the trail: a private key, or a signer in a KMS or an HSM. @default a key that is kept beside the trail */
  readonly auditSigningKey?: KeyObject | AuditSigner | undefined;
  /**
   * How old everything is that decisions rest on, as `openAuthentication` has it: shown in metrics and in the detail of
   * readiness. @default nothing is shown
   */
  readonly ages?: FactAges | undefined;
  /**
   * Spans and metrics, shut down with the server: one that was made before it, so that its clients of upstreams could
   * take the `meter`. @default one of its own
   */
  readonly telemetry?: Telemetry | undefined;
  /** What the server cannot work without, by name. @default nothing but the audit trail */
  readonly probes?: Readonly<Record<string, Probe>> | undefined;
}

interface ResolvedAssembleOptions extends AssembleOptions {
  readonly auditSinks: readonly AuditSink[];
  readonly ages: FactAges;
  readonly probes: Readonly<Record<string, Probe>>;
  readonly rateLimitPerMinute: number;
  readonly shutdown: ShutdownPlan;
}

function resolveAssembleOptions(options: AssembleOptions): ResolvedAssembleOptions {
  return {
    ...options,
    ...resolveRateLimitOptions(options),
    ...resolveCallLimits(options),
    auditSinks: options.auditSinks ?? [],
    ages: options.ages ?? (() => []),
    probes: options.probes ?? {},
    shutdown: planShutdown({ terminationGraceMs: options.terminationGraceMs }),
  };
}

/** A server without a transport: hand it to `serveStdio` or `serveHttp`. */
export interface Server extends AsyncDisposable, Pick<ShutdownOptions, 'terminationGraceMs'> {
  readonly serverInfo: BindingOptions['serverInfo'];
  readonly instructions: string | undefined;
  readonly table: MethodTable;
  readonly logger: Logger;
  /** Counts the calls of the table; for what a transport lets happen beside them. */
  readonly rateLimiter: RateLimiter;
  /** Signs the ids of sessions: 32 bytes that stay in the state directory, made on first use. */
  readonly sessionKey: () => Promise<Uint8Array>;
  readonly audit: AuditTrail;
  readonly tasks: TaskEngine;
  readonly telemetry: Telemetry;
  /** How old everything is that decisions rest on. */
  readonly ages: FactAges;
  /** Asks the probes, and whether the audit trail records. */
  readonly readiness: () => Promise<Readiness>;
  /**
   * Lets tasks end, ships the audit events and frees the state directory, within the termination grace period, or within
   * `withinMs` milliseconds: then tasks are interrupted, and events that are not shipped are at the next start.
   */
  readonly close: (options?: { readonly withinMs?: number | undefined }) => Promise<void>;
}

/**
 * Joins tools and policies into a server: opens its audit trail and task engine, and puts both, the rate limit
 * and the metrics, behind every call.
 *
 * @throws {RangeError} naming the option that is out of its range.
 * @throws {TypeError} for definitions that contradict themselves.
 * @throws {Error} when the state directory cannot be used.
 */
export async function assembleServer(options: AssembleOptions): Promise<Server> {
  const resolved = resolveAssembleOptions(options);
  const { serverInfo, logger, authorizer, stateDirectory, auditDigestKey, shutdown } = resolved;
  const catalog = createCatalog(resolved.definitions);
  const digest = auditDigestKey && createDigest(auditDigestKey);
  const personalKeys = await openPersonalKeys(join(stateDirectory, 'personal-keys'));
  const state = await openState({
    directory: stateDirectory,
    audit: {
      sinks: resolved.auditSinks,
      anchors: resolved.auditAnchors,
      signingKey: resolved.auditSigningKey,
      keepDays: resolved.auditKeepDays,
      maxBytes: resolved.auditMaxBytes,
      refusalBytesPerDay: resolved.auditRefusalBytesPerDay,
      closeTimeoutMs: shutdown.auditMs,
      server: { name: serverInfo.name, version: serverInfo.version },
    },
    tasks: { definitions: catalog.tasks },
    logger,
  });
  const { tasks } = state;
  const audit = createProtectedTrail(state.audit, { personalKeys, digest, logger });

  const telemetry =
    options.telemetry ??
    createTelemetry({ serviceName: serverInfo.name, serviceVersion: serverInfo.version });
  observeAudit(telemetry, audit, state.adoption);
  observeFacts(telemetry, resolved.ages);

  const readiness = createReadiness(
    {
      ...resolved.probes,
      audit: async () => {
        const { state, lastError } = audit.health();
        if (state === 'unavailable') {
          throw new Error(lastError?.message ?? 'the audit trail does not record');
        }
      },
    },
    (name, error) => logger.warn({ err: error, check: name }, 'readiness check failed'),
  );

  const rateLimiter = createRateLimiter(resolved);
  const table = createMethodTable(catalog, {
    authorizer,
    audit,
    tasks,
    telemetry,
    logger,
    rateLimiter,
    deadlineMs: resolved.deadlineMs,
    maxOutputBytes: resolved.maxOutputBytes,
    pageSize: resolved.pageSize,
    listTtlMs: resolved.listTtlMs,
    hooks: resolved.hooks,
  });

  let closing: Promise<void> | undefined;
  const closeParts = async (tasksMs: number) => {
    await tasks.close({ deadlineMs: Math.round(tasksMs - Math.min(TASK_ABORT_MS, tasksMs / 2)) });
    // At the same time: each may take all of the time for the audit events.
    await Promise.all([state.adoption.close(), audit.close()]);
    await atMost(shutdown.telemetryMs, telemetry.shutdown());
  };
  const close = ({ withinMs }: { readonly withinMs?: number | undefined } = {}) =>
    (closing ??=
      withinMs === undefined ? closeParts(shutdown.tasksMs) : atMost(withinMs, closeParts(withinMs)));
  return {
    serverInfo,
    instructions: resolved.instructions,
    table,
    logger,
    rateLimiter,
    sessionKey: () => openSessionKey(join(stateDirectory, 'session-key')),
    audit,
    tasks,
    telemetry,
    ages: resolved.ages,
    terminationGraceMs: resolved.terminationGraceMs,
    readiness,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** What the task engine gives handlers to end once it has aborted them. */
const TASK_ABORT_MS = 1_000;

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
