/**
 * What a call needs from outside. Implementations satisfy these interfaces structurally and never import
 * this package, so each can be replaced, or left out, on its own.
 */
import type { JsonObject, JsonValue } from './json.ts';

/** Who is calling. Never carries the token that proved it. */
export interface Caller {
  /** `issuer#subject`: unique and stable. */
  readonly id: string;
  /** A person, or a program that acts for itself. */
  readonly kind: 'user' | 'service';
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
  readonly groups: readonly string[];
  /** When the directory was asked for the groups, in milliseconds since the Unix epoch. @default nobody knows */
  readonly groupsAsOf?: number | undefined;
  /** The permissions in effect, as concrete names without wildcards. They decide what the caller can see. */
  readonly permissions: readonly string[];
  /**
   * What the caller could do with a better token, as concrete names: shown as well, so that a call can ask for that
   * token. Leave it out where there is no way to ask, as on stdio. @default none
   */
  readonly obtainablePermissions?: readonly string[] | undefined;
}

/** What an authorizer decided. `reason` is a code for operators and the audit trail. */
export type Decision =
  | { readonly allowed: true; readonly rule: string }
  | {
      readonly allowed: false;
      readonly reason: 'missing_permission' | 'missing_scope' | 'missing_group' | 'unavailable';
      readonly rule?: string | undefined;
    };

/** Decides whether a caller may do what a permission names. Asked on every call, after the input is parsed. */
export interface Authorizer {
  readonly decide: (
    caller: Caller,
    permission: string,
    options: { readonly signal: AbortSignal },
  ) => Decision | Promise<Decision>;
}

/** Who is written down as the one who asked; `anonymous` is nobody that is known. */
export type AuditActor =
  | {
      readonly id: string;
      readonly kind: 'user' | 'service';
      readonly displayName?: string | undefined;
      readonly email?: string | undefined;
      readonly groups: readonly string[];
    }
  | { readonly id: 'anonymous'; readonly kind: 'anonymous'; readonly groups: readonly [] };

/** What is written down before anything happens. */
export interface AuditIntent {
  readonly actor: AuditActor;
  /** The MCP method, for example `tools/call`. */
  readonly action: string;
  /** The tool's or prompt's name, or the resource's URI. */
  readonly target: string;
  /** What is acted on, for example `payment-service/production`. */
  readonly resource?: string | undefined;
  /** Only the arguments that the definition allows into the trail. */
  readonly arguments?: JsonObject | undefined;
  /** The names of all arguments that were given. */
  readonly argumentNames?: readonly string[] | undefined;
  /** Digests, made by the trail's `digest`, of arguments whose values are not kept. */
  readonly argumentDigests?: Readonly<Record<string, string>> | undefined;
  /** The work that goes on after the answer, whose end the outcome is. @default there is none */
  readonly taskId?: string | undefined;
  /** Also given to the model as the reference id of an error. */
  readonly correlationId: string;
  readonly transport: 'stdio' | 'http';
  /** @default the request was refused before it was known */
  readonly era?: '2025' | '2026' | undefined;
  readonly client?: { readonly name: string; readonly version: string } | undefined;
  readonly sourceAddress?: string | undefined;
  /** The trace that the call belongs to, when one is active before it runs. */
  readonly traceId?: string | undefined;
  /** The rule of the policy that allowed or refused the call. */
  readonly rule?: string | undefined;
  /** Age of the caller's groups, in milliseconds. */
  readonly directoryAgeMs?: number | undefined;
  /** Ship to the collector at once instead of with the next batch. */
  readonly urgent: boolean;
}

/** One call to an upstream, as the trail keeps it. */
export interface UpstreamCall {
  /** Its configured name, never its URL. */
  readonly upstream: string;
  /** Which of its endpoints, by an id of yours. */
  readonly endpoint?: string | undefined;
  /** `ok`, or the code of the failure. */
  readonly outcome: string;
  /** Requests on the wire. */
  readonly attempts?: number | undefined;
  readonly durationMs?: number | undefined;
}

/** What is written down afterwards. */
export interface AuditOutcome {
  /** `unknown`: the action may or may not have taken effect. */
  readonly result: 'success' | 'failure' | 'denied' | 'unknown';
  /** A code, for example `missing_permission`. */
  readonly reason?: string | undefined;
  readonly durationMs: number;
  /** The trace that the call ran in. */
  readonly traceId?: string | undefined;
  /** What the handler reported to `context.onUpstreamCall`; absent when that was nothing. */
  readonly upstreamCalls?: readonly UpstreamCall[] | undefined;
  /** Of what a person has agreed to. @default nobody was asked */
  readonly confirmationId?: string | undefined;
}

/** An intent that waits for its outcome. */
export interface AuditEntry {
  readonly finish: (outcome: AuditOutcome) => Promise<void>;
}

/** A durable record of who did what. A call waits for it beyond its own deadline, so it settles in bounded time. */
export interface AuditTrail {
  /** Resolves when the intent is durable; rejects when it cannot be recorded. */
  readonly begin: (intent: AuditIntent) => Promise<AuditEntry>;
  /**
   * The entry of the intent in this trail that names the task and has no outcome, whichever process began it; where
   * there is none, a run of the task begins another, and an end that is not this process's is not recorded here.
   * @default entries are kept in memory, and what this process does not find there gets an intent of its own
   */
  readonly resume?: ((taskId: string) => AuditEntry | undefined) | undefined;
  /**
   * Records a call that ended before anything ran. May count those of a caller who is refused often instead of storing
   * each, so that nobody can fill the disk. @default `begin` and `finish`
   */
  readonly refuse?: ((intent: AuditIntent, outcome: AuditOutcome) => Promise<void>) | undefined;
  /**
   * A keyed digest of an argument, to recognise a value without keeping it.
   * @default only the names of arguments are kept
   */
  readonly digest?: ((name: string, text: string) => string) | undefined;
}

/** Work that outlives the request that started it. Times are ISO 8601. */
export interface Task {
  readonly id: string;
  readonly kind: string;
  /** What is being done, in a few words. */
  readonly label?: string | undefined;
  readonly state: 'queued' | 'running' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly progress: { readonly percent: number; readonly message: string };
  /** What it waits for an answer to, by key. */
  readonly questions: Readonly<Record<string, JsonObject>>;
  readonly result?: JsonObject | undefined;
  /** `message` is public. */
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly isCancelRequested: boolean;
  readonly cancelReason?: string | undefined;
  /** The number of its last run; 0 before the first. */
  readonly attempt: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What a run of a task may know and do. */
export interface TaskContext {
  readonly taskId: string;
  /** 1 for the first run. */
  readonly attempt: number;
  /** Aborts with an error whose `code` is `cancelled`, or another when the work may go on elsewhere. */
  readonly signal: AbortSignal;
  /** Never throws, and may be called often. */
  readonly progress: (update: Task['progress']) => void;
  /** Does work once, and gives its stored result in later runs. */
  readonly step: <T extends JsonValue>(name: string, work: () => T | Promise<T>) => Promise<T>;
  /** Asks the owner, and waits; in later runs the answer is there. */
  readonly ask: (key: string, question: JsonObject) => Promise<JsonObject>;
}

/** A kind of work, and what does it. */
export interface TaskWork {
  readonly kind: string;
  readonly onInterrupted?: 'fail' | 'resume' | undefined;
  readonly run: (input: JsonObject, context: TaskContext) => Promise<JsonObject>;
  /** Told of the end of each task once that is stored, until it resolves. */
  readonly onEnd?: ((task: Task, input: JsonObject) => Promise<void>) | undefined;
}

/** Starts and follows tasks. A task of another owner is `undefined`. */
export interface TaskRunner {
  /** How long an ended task is kept, in milliseconds. */
  readonly ttlMs: number;
  /** Does work of this kind from now on. */
  readonly work: (work: TaskWork) => void;
  /**
   * Durable when it resolves. The same owner, kind and idempotency key give the same task. Rejects with the `code`
   * `start_unknown` where there may be a task all the same.
   */
  readonly start: (request: {
    readonly kind: string;
    readonly input: JsonObject;
    readonly ownerId: string;
    readonly label?: string | undefined;
    readonly idempotencyKey?: string | undefined;
    /** What a repetition with the same key must have in common with the first. */
    readonly fingerprint?: JsonValue | undefined;
    /** A random UUID. */
    readonly id?: string | undefined;
  }) => Promise<Task>;
  readonly get: (id: string, ownerId: string) => Promise<Task | undefined>;
  /** Newest first. */
  readonly list: (
    ownerId: string,
    page?: { readonly cursor?: string | undefined; readonly limit?: number | undefined },
  ) => Promise<{ readonly tasks: readonly Task[]; readonly nextCursor?: string | undefined }>;
  readonly cancel: (
    id: string,
    ownerId: string,
    options?: { readonly reason?: string | undefined },
  ) => Promise<Task | undefined>;
  /** Keys that nobody asked for, or that are answered, are ignored. */
  readonly answer: (
    id: string,
    ownerId: string,
    answers: Readonly<Record<string, JsonObject>>,
  ) => Promise<Task | undefined>;
  /** Calls the listener when the task changes, until the returned function is called. */
  readonly watch: (id: string, ownerId: string, listener: (task: Task) => void) => () => void;
}

/**
 * Counts requests and running calls by key, in this process or for all replicas together.
 *
 * A key names what is limited: `caller:` and the caller's id, `server` for all callers together, `tool:` and a tool's
 * name, and `tool:`, the name, `:` and the caller's id. Take it as opaque: ids are what an issuer says, so a key may hold
 * any characters and be some thousand long; hash it where that is too much, and put a prefix of your own before it. A key
 * is no fit label for a metric. Requests and places under one key are counted apart.
 *
 * A method may answer at once or later. When it rejects, the call fails; when it hangs, the call's deadline ends it. So
 * one that asks another system gives up early and counts here until that is back.
 */
export interface RateLimiter {
  /**
   * Counts `weight` requests of a key that has `perMinute` in each minute. Counts all of them or, when fewer are left,
   * none: who is refused a heavy call may still make light ones. `perMinute` is the same for one key, unless the settings
   * have changed since; `weight` is from 1 to `perMinute`.
   */
  readonly consume: (key: string, rate: RequestRate) => RateLimitAnswer | Promise<RateLimitAnswer>;
  /**
   * Takes one of the `max` places that a key has for calls that run at once; `undefined` when all are taken. A place that
   * nobody gives back, because its process has died, is free again after `leaseMs`. A holder has one place of a key: taken
   * again, also by another process and where all are taken, it is the same place, for `leaseMs` from now.
   *
   * @default places are counted in this process
   */
  readonly enter?:
    | ((key: string, places: Places) => Place | undefined | Promise<Place | undefined>)
    | undefined;
}

/** How much is asked for, and how much there is. */
export interface RequestRate {
  readonly perMinute: number;
  readonly weight: number;
}

/** How many may run at once, and how long a place is kept for one that is never heard of again, in milliseconds. */
export interface Places {
  readonly max: number;
  readonly leaseMs: number;
  /** Whose place it is, where that outlives a process. @default nobody else's: a place of its own */
  readonly holder?: string | undefined;
}

/** A place that a running call holds. */
export interface Place {
  /** Gives it back; more than once is once. Never throws, and nobody waits for it. */
  readonly leave: () => void;
  /** Its holder had it already. @default false */
  readonly wasHeld?: boolean | undefined;
}

/** Whether a key may call now, and if not, when it is worth trying again, in milliseconds from now. */
export type RateLimitAnswer =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly retryAfterMs: number };

/**
 * Uses up confirmations, in this process or for all replicas together. `replays` of `@mcp-parts/redis` fits.
 * While a claim rejects, nothing that was confirmed is done.
 */
export interface ConfirmationClaims {
  /** Whether nobody has claimed this id before; it is remembered for `ttlMs` milliseconds at least. */
  readonly claim: (id: string, options: { readonly ttlMs: number }) => Promise<boolean>;
}

/** For how long something is kept, and for whom. */
export interface KeepOptions {
  /** In milliseconds. */
  readonly ttlMs: number;
  /** The id of the caller that it is kept for, so that what is kept for one takes no room of others. @default nobody's */
  readonly owner?: string | undefined;
}

/**
 * Remembers what waits for a second person, and what was approved, in this process or for all replicas together. While
 * it rejects, nothing that takes a second person is done.
 */
export interface ApprovalStore {
  /**
   * Keeps a value for `ttlMs` milliseconds, unless there is one under this key; gives the one that is there then. With a
   * `list`, it is found there too.
   */
  readonly keep: (
    key: string,
    value: JsonObject,
    options: KeepOptions & { readonly list?: string | undefined },
  ) => Promise<JsonObject>;
  readonly get: (key: string) => Promise<JsonObject | undefined>;
  readonly forget: (key: string) => Promise<void>;
  /** What is in a list and still there, the newest first, and no more of it than `limit`: at most 1,000. */
  readonly listed: (list: string, limit: number) => Promise<readonly JsonObject[]>;
}

/** What is known of a call that may be repeated. */
export type RepeatableCall = {
  /** A digest of its arguments. */
  readonly fingerprint: string;
  /** What its handler gives to upstreams as `Idempotency-Key`. */
  readonly upstreamKey: string;
  /** Which of all calls it is: random. */
  readonly holder: string;
} & (
  | { readonly state: 'running' }
  | {
      readonly state: 'done';
      /** As MCP has it. */
      readonly result: JsonObject;
    }
  /** It may or may not have taken effect. */
  | { readonly state: 'unknown' }
);

/** Remembers calls that may be repeated, in this process or for all replicas together. Keys are digests. */
export interface IdempotencyStore {
  /**
   * Takes a key for a call, for `ttlMs` milliseconds and as long as it is renewed; what is known of the one that has it, if
   * there is one. One that runs and was not renewed for `leaseMs` milliseconds is `unknown`: its process has died.
   */
  readonly claim: (
    key: string,
    call: RepeatableCall,
    options: KeepOptions & { readonly leaseMs: number },
  ) => Promise<RepeatableCall | undefined>;
  /** Says that the call still runs; nothing where another has the key. */
  readonly renew: (
    key: string,
    call: Pick<RepeatableCall, 'holder'>,
    options: { readonly leaseMs: number },
  ) => Promise<void>;
  /** Puts what became of the call in its place, for so many milliseconds from now; nothing where another has the key. */
  readonly keep: (key: string, call: RepeatableCall, options: KeepOptions) => Promise<void>;
  /** Forgets a call that did nothing; nothing where another has the key. */
  readonly release: (key: string, call: Pick<RepeatableCall, 'holder'>) => Promise<void>;
}

/** One finished call, as numbers. `target` is always a name from the catalog, or `_other`. */
export interface CallMeasurement {
  readonly method: string;
  readonly target: string;
  readonly era: '2025' | '2026';
  readonly transport: 'stdio' | 'http';
  readonly result: 'success' | 'failure' | 'denied' | 'unknown';
  readonly reason?: string | undefined;
  readonly durationMs: number;
}

/** Where a client's trace is, as the client says it (W3C Trace Context; SEP-414). */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** Spans and metrics. */
export interface Telemetry {
  readonly span: <T>(
    name: string,
    attributes: Readonly<Record<string, string | number | boolean>>,
    run: () => Promise<T>,
    /** The trace of the client that the span continues. @default the one that is active */
    parent?: TraceContext,
  ) => Promise<T>;
  readonly recordCall: (call: CallMeasurement) => void;
  /** The trace that is active where it is called, as 32 hexadecimal digits. @default traces leave no mark in the trail */
  readonly activeTraceId?: (() => string | undefined) | undefined;
}

/** The operator's log. pino fits. */
export interface Logger {
  readonly debug: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}
