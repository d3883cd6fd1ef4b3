import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';

import {
  createCollectorSink,
  createDigest,
  openPersonalKeys,
  protectTrail,
  type AuditSink,
  type AuditTrail,
} from '@mcp-parts/audit';
import { createTelemetry, type Telemetry } from '@mcp-parts/observability';
import type { TaskEngine } from '@mcp-parts/tasks';
import {
  createCatalog,
  createMethodTable,
  requiredPermission,
  type Authorizer,
  type BindingOptions,
  type CatalogDefinitions,
  type JsonObject,
  type Logger,
  type MethodTable,
} from '@mcp-parts/tool-kit';

import { observeAudit } from './server/audit-metrics.ts';
import { createRateLimiter } from './server/rate-limiter.ts';
import { createReadiness, type Probe, type Readiness } from './server/readiness.ts';
import { openState } from './server/state-directory.ts';

/** The parts of a server, by what they are for. */
export interface AssembleOptions {
  readonly serverInfo: BindingOptions['serverInfo'];
  /** Told to the model once. */
  readonly instructions?: string | undefined;
  readonly definitions: CatalogDefinitions;
  /** The policy; see `loadPolicy` of `@mcp-parts/auth`. */
  readonly authorizer: Authorizer;
  readonly logger: Logger;
  /**
   * Holds the audit trail and the tasks, on a local disk. Processes that share it take a numbered folder each;
   * what a process leaves undone, the next one in its folder finishes. `personal-keys` in it holds a key for each
   * person, with which names and e-mail addresses in the trail are sealed.
   */
  readonly stateDirectory: string;
  /** Where audit events are shipped. Without it they stay in the state directory. */
  readonly auditCollector?:
    | { readonly url: string; readonly token?: (() => Promise<string>) | undefined }
    | undefined;
  /** Further places that audit events are shipped to. @default none */
  readonly auditSinks?: readonly AuditSink[] | undefined;
  /** How long delivered events are kept in the state directory, in days. @default they are never removed */
  readonly auditKeepDays?: number | undefined;
  /** Makes digests of arguments whose values are not kept; at least 32 bytes. @default only their names are kept */
  readonly auditDigestKey?: Uint8Array | undefined;
  /** Signs the trail; ed25519. @default a key that is made once and kept beside the trail */
  readonly auditSigningKey?: KeyObject | undefined;
  /** Calls per minute for each caller. @default 100 */
  readonly rateLimitPerMinute?: number | undefined;
  /** What the server cannot work without, by name. */
  readonly probes?: Readonly<Record<string, Probe>> | undefined;
}

/** A server without a transport: hand it to `serveStdio` or `serveHttp`. */
export interface Server extends AsyncDisposable {
  readonly serverInfo: BindingOptions['serverInfo'];
  readonly instructions: string | undefined;
  readonly table: MethodTable;
  readonly authorizer: Authorizer;
  /** The permission that a request will need, where it says so by itself; see `requiredPermission` of the tool-kit. */
  requiredPermission(method: string, params: JsonObject): string | undefined;
  readonly logger: Logger;
  readonly audit: AuditTrail;
  readonly tasks: TaskEngine;
  readonly telemetry: Telemetry;
  /** Asks the probes, and whether the audit trail records. */
  readiness(): Promise<Readiness>;
  /** Lets tasks end, ships the audit events and frees the state directory. Bounded by about 10 s. */
  close(): Promise<void>;
}

/**
 * Joins tools and policies into a server: opens its audit trail and task engine, and puts both, the rate limit
 * and the metrics, behind every call.
 *
 * @throws {TypeError} for definitions that contradict themselves.
 * @throws {Error} when the state directory cannot be used.
 */
export async function assembleServer(options: AssembleOptions): Promise<Server> {
  const { serverInfo, logger, auditCollector, auditKeepDays, auditDigestKey, auditSigningKey } = options;
  const catalog = createCatalog(options.definitions);
  const digest = auditDigestKey && createDigest(auditDigestKey);
  const personalKeys = await openPersonalKeys(join(options.stateDirectory, 'personal-keys'));
  const {
    audit: trail,
    tasks,
    adoption,
  } = await openState({
    directory: options.stateDirectory,
    audit: {
      sinks: [
        ...(auditCollector === undefined ? [] : [createCollectorSink(withoutUndefined(auditCollector))]),
        ...(options.auditSinks ?? []),
      ],
      ...(auditSigningKey && { signingKey: auditSigningKey }),
      ...(auditKeepDays !== undefined && { keepDays: auditKeepDays }),
      server: { name: serverInfo.name, version: serverInfo.version },
    },
    tasks: { definitions: catalog.tasks },
    logger,
  });
  const audit = protectTrail(trail, { personalKeys, digest, logger });

  const telemetry = createTelemetry({ serviceName: serverInfo.name, serviceVersion: serverInfo.version });
  observeAudit(telemetry, audit);

  const readiness = createReadiness(
    {
      ...options.probes,
      audit: async () => {
        const { state, lastError } = audit.health();
        if (state === 'unavailable') throw new Error(lastError?.message ?? 'the audit trail does not record');
      },
    },
    (name, error) => logger.warn({ err: error, check: name }, 'readiness check failed'),
  );

  const table = createMethodTable(catalog, {
    authorizer: options.authorizer,
    audit,
    tasks,
    telemetry,
    logger,
    rateLimiter: createRateLimiter(options.rateLimitPerMinute ?? 100),
  });

  const close = async () => {
    await tasks.close({ deadlineMs: 5_000 });
    await adoption.close();
    await audit.close();
    await telemetry.shutdown();
  };
  return {
    serverInfo,
    instructions: options.instructions,
    table,
    authorizer: options.authorizer,
    requiredPermission: (method, params) => requiredPermission(catalog, method, params),
    logger,
    audit,
    tasks,
    telemetry,
    readiness,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function withoutUndefined({ url, token }: NonNullable<AssembleOptions['auditCollector']>) {
  return token === undefined ? { url } : { url, token };
}
