import type { KeyObject } from 'node:crypto';

import type { AnchorKeeper, AuditSigner, AuditSink } from '@mcp-parts/audit';
import type { FactAges } from '@mcp-parts/auth';
import type { Telemetry } from '@mcp-parts/observability';
import type { TaskLimits } from '@mcp-parts/tasks';
import {
  createCatalog,
  createEventBus,
  createMethodTable,
  resolveCallLimits,
  type Authorizer,
  type BindingOptions,
  type CallLimits,
  type Hook,
  type PipelineOptions,
  type Catalog,
  type CatalogDefinitions,
  type Limit,
  type CatalogSelection,
  type EventBus,
  type Logger,
  type MethodTable,
} from '@mcp-parts/tool-kit';

import { atMost } from './at-most.ts';
import { observeFacts } from './server/metrics/fact-metrics.ts';
import { openParts } from './server/open-parts.ts';
import { resolveRateLimitOptions, type RateLimitOptions } from './server/rate-limit-options.ts';
import { createRateLimiter } from './server/rate-limiter.ts';
import { observeChecks } from './server/readiness/check-metrics.ts';
import { createReadiness, type Probe, type Readiness } from './server/readiness/readiness.ts';
import type { CallerRights, ServerAudit, ServerPorts, ServerTasks } from './server/server-ports.ts';
import { planShutdown, type ShutdownOptions, type ShutdownPlan } from './server/shutdown-budget.ts';

/** The parts of a server, by what they are for. */
export interface AssembleOptions
  extends RateLimitOptions, CallLimits, CatalogSelection, Pick<ShutdownOptions, 'terminationGraceMs'> {
  readonly serverInfo: BindingOptions['serverInfo'];
  /** Told to the model once. */
  readonly instructions?: string | undefined;
  readonly definitions: CatalogDefinitions;
  /**
   * The policy; see `createFilePolicy` of `@mcp-parts/auth`. @default a call needs its permission by name, among the
   * `permissions` of its caller
   */
  readonly authorizer?: Authorizer | undefined;
  /** Around every handler, the first one outermost. @default none */
  readonly hooks?: readonly Hook[] | undefined;
  /** How much a call of a tool with `confirm` takes, by tool and caller. @default as the tool says */
  readonly confirmationLevel?: PipelineOptions['confirmationLevel'];
  /**
   * Seals what clients of 2026-07-28 keep between the rounds of a call that asks them something; at least 32 bytes, the
   * same for all replicas, such as the key that signs session ids. @default a random key: such a call ends with the process
   */
  readonly requestStateKey?: Uint8Array | undefined;
  readonly logger: Logger;
  /**
   * Holds the audit trail and the tasks, on a local disk. Processes that share it take a numbered directory each;
   * what a process leaves undone, the next one in its directory finishes. `personal-keys` in it holds a key for each
   * person, with which names and e-mail addresses in the trail are sealed.
   *
   * @default none, when `ports` has the audit trail and, if there are tasks, their engine; session ids then end with the
   * process, unless it is given their key
   */
  readonly stateDirectory?: string | undefined;
  /**
   * How many tasks run and wait at once, when one that is not heard of is taken over, and how long they are kept.
   * @default those of `openTaskEngine` of `@mcp-parts/tasks`
   */
  readonly tasks?: TaskLimits | undefined;
  /** Parts that are there already, or are shared between machines. @default the server makes its own */
  readonly ports?: ServerPorts | undefined;
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
   * Whether clients may subscribe to single resources, as somebody publishes `resource_updated`.
   * @default whether `ports` has an event bus
   */
  readonly watchable?: boolean | undefined;
  /**
   * Tells clients that listen when their lists look different because of what they may do, as `openAuthentication` has
   * it. @default what their own requests show
   */
  readonly rights?: CallerRights | undefined;
  /**
   * What calls need and all replicas share, such as backends, by name: without one of them the server is `degraded`,
   * and goes on. @default nothing
   */
  readonly probes?: Readonly<Record<string, Probe>> | undefined;
  /** Names of probes without which the server is not ready either. @default none: only its own audit trail counts */
  readonly readinessRequires?: readonly string[] | undefined;
}

interface ResolvedAssembleOptions extends AssembleOptions {
  readonly auditSinks: readonly AuditSink[];
  readonly ages: FactAges;
  readonly ports: ServerPorts;
  readonly probes: Readonly<Record<string, Probe>>;
  readonly callerLimit: Limit;
  readonly serverLimit: Limit;
  readonly readinessRequires: readonly string[];
  readonly shutdown: ShutdownPlan;
}

function resolveAssembleOptions(options: AssembleOptions): ResolvedAssembleOptions {
  return {
    ...options,
    ...resolveRateLimitOptions(options),
    ...resolveCallLimits(options),
    auditSinks: options.auditSinks ?? [],
    ages: options.ages ?? (() => []),
    ports: options.ports ?? {},
    probes: options.probes ?? {},
    readinessRequires: options.readinessRequires ?? [],
    shutdown: planShutdown({ terminationGraceMs: options.terminationGraceMs }),
  };
}

/** A server without a transport: hand it to `serveStdio` or `serveHttp`. */
export interface Server extends AsyncDisposable, Pick<ShutdownOptions, 'terminationGraceMs'> {
  readonly serverInfo: BindingOptions['serverInfo'];
  readonly instructions: string | undefined;
  /** To add, remove, enable or disable what the server offers; clients that listen hear of it. */
  readonly catalog: Catalog;
  /** To tell that a resource has changed, or somebody's permissions. */
  readonly events: EventBus;
  readonly table: MethodTable;
  readonly logger: Logger;
  /** Signs the ids of sessions: 32 bytes that stay in the state directory, made on first use; without one, random. */
  readonly sessionKey: () => Promise<Uint8Array>;
  readonly audit: ServerAudit;
  /** `undefined` when there are no tasks, and no state directory. */
  readonly tasks: ServerTasks | undefined;
  readonly telemetry: Telemetry;
  /** How old everything is that decisions rest on. */
  readonly ages: FactAges;
  /** Asks whether the audit trail records, and the probes, for which it waits half a second at most. */
  readonly readiness: () => Promise<Readiness>;
  /**
   * Lets tasks end, ships the audit events and frees the state directory, leaving `ports` open, within the termination grace period, or within
   * `withinMs` milliseconds: then tasks are interrupted, and events that are not shipped are at the next start.
   */
  readonly close: (options?: { readonly withinMs?: number | undefined }) => Promise<void>;
}

/**
 * Joins tools and policies into a server: opens its audit trail and task engine, unless it is given them, and puts both,
 * the rate limit and the metrics, behind every call.
 *
 * @throws {RangeError} naming the option that is out of its range.
 * @throws {TypeError} for definitions that contradict themselves, and without a state directory for what needs one.
 * @throws {Error} when the state directory cannot be used.
 */
export async function assembleServer(options: AssembleOptions): Promise<Server> {
  const resolved = resolveAssembleOptions(options);
  const { serverInfo, logger, authorizer, shutdown, ports } = resolved;
  const catalog = createCatalog(resolved.definitions, resolved);
  const parts = await openParts({
    ...resolved,
    stateDirectory: resolved.stateDirectory,
    auditDigestKey: resolved.auditDigestKey,
    tasks: resolved.tasks ?? {},
    longRunning: new Map(
      (resolved.definitions.tools ?? []).flatMap(({ name, longRunning, annotations }) =>
        longRunning === undefined ? [] : [[name, annotations]],
      ),
    ),
    audit: {
      sinks: resolved.auditSinks,
      anchors: resolved.auditAnchors,
      signingKey: resolved.auditSigningKey,
      keepDays: resolved.auditKeepDays,
      maxBytes: resolved.auditMaxBytes,
      refusalBytesPerDay: resolved.auditRefusalBytesPerDay,
    },
  });
  const { audit, tasks, telemetry } = parts;
  observeFacts(telemetry, resolved.ages);

  const readiness = createReadiness({
    own: {
      audit() {
        const health = audit.health?.();
        if (health?.state === 'unavailable') {
          throw new Error(health.lastError?.message ?? 'the audit trail does not record');
        }
      },
    },
    shared: resolved.probes,
    required: resolved.readinessRequires,
    onFailure: (name, error) => logger.warn({ err: error, check: name }, 'readiness check failed'),
  });
  observeChecks(telemetry, readiness);

  const events = ports.events ?? createEventBus();
  const table = createMethodTable(catalog, {
    events,
    // Who publishes what changes of resources has brought the bus for it.
    watchable: resolved.watchable ?? ports.events !== undefined,
    renewCaller: resolved.rights?.renew,
    authorizer,
    audit,
    tasks,
    telemetry,
    logger,
    rateLimiter: ports.rateLimiter ?? createRateLimiter(),
    confirmations: ports.confirmations,
    approvals: ports.approvals,
    idempotency: ports.idempotency,
    callerLimit: resolved.callerLimit,
    serverLimit: resolved.serverLimit,
    requestStateKey: resolved.requestStateKey,
    deadlineMs: resolved.deadlineMs,
    answerWithinMs: resolved.answerWithinMs,
    maxOutputBytes: resolved.maxOutputBytes,
    answerBytes: resolved.answerBytes,
    answerBytesByClient: resolved.answerBytesByClient,
    pageSize: resolved.pageSize,
    listTtlMs: resolved.listTtlMs,
    hooks: resolved.hooks,
    confirmationLevel: resolved.confirmationLevel,
  });

  const stopFollowing = resolved.rights?.onChange(() => events.publish({ kind: 'permissions_changed' }));

  let closing: Promise<void> | undefined;
  const close = ({ withinMs }: { readonly withinMs?: number | undefined } = {}) => {
    stopFollowing?.();
    return (closing ??=
      withinMs === undefined ? parts.close(shutdown.tasksMs) : atMost(withinMs, parts.close(withinMs)));
  };
  return {
    serverInfo,
    instructions: resolved.instructions,
    catalog,
    events,
    table,
    logger,
    sessionKey: parts.sessionKey,
    audit,
    tasks,
    telemetry,
    ages: resolved.ages,
    terminationGraceMs: resolved.terminationGraceMs,
    readiness: readiness.ask,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
