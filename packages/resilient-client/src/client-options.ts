import type { Meter } from '@opentelemetry/api';

import type { ClientEvent } from './call/events.ts';
import { checkWhole, MAX_TIMER_MS } from './check-number.ts';
import { parseBaseUrl } from './endpoint/url-template.ts';
import { checkLiteralHost, createAddressRule, type AddressRule } from './http/address-rule.ts';
import { isSafeOnTheWay } from './http/safe-way.ts';
import type { Dispatcher } from './http/undici-transport.ts';
import {
  resolveBulkheadOptions,
  type BulkheadOptions,
  type ResolvedBulkheadOptions,
} from './protection/bulkhead.ts';
import {
  resolveCallPolicyOptions,
  type CallPolicy,
  type CallPolicyOptions,
} from './protection/call-policy.ts';
import {
  resolveRetryBudgetOptions,
  type ResolvedRetryBudgetOptions,
  type RetryBudgetOptions,
} from './protection/retry-budget.ts';
import { systemClock, type Clock } from './time/clock.ts';
import type { TokenSource } from './tokens/source.ts';

/** What a client is made of. */
export interface ClientOptions {
  /** What people and models call the upstream, without an article: `deployment service`. Also labels events. */
  readonly name: string;
  /** Where every endpoint's path begins, as http(s), with or without a path of its own. No call can leave it. */
  readonly baseUrl: string;
  /** Where bearer tokens come from. @default no Authorization header */
  readonly token?: TokenSource | undefined;
  /** @default see {@link CallPolicyOptions} */
  readonly policy?: CallPolicyOptions | undefined;
  /** Time for a connection, TLS included, in whole milliseconds from 1 to 2147483647; undici rounds it up to a second. @default 3_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a connection serves, in whole milliseconds from 1 to 2147483647; the next looks the name up again. @default 60_000 */
  readonly connectionTtlMs?: number | undefined;
  /**
   * Lets tokens, and headers or query parameters that carry credentials, go over http to a host other than this one, such
   * as into a mesh that encrypts by itself. @default false
   */
  readonly allowCleartextCredentials?: boolean | undefined;
  /** How many requests may be on the wire, and how many may wait. @default see {@link BulkheadOptions} */
  readonly bulkhead?: BulkheadOptions | undefined;
  /** How much retries may add to the load. @default see {@link RetryBudgetOptions} */
  readonly retryBudget?: RetryBudgetOptions | undefined;
  /**
   * Name of a header that tells the upstream how long the caller will still wait, in whole milliseconds.
   * @default none is sent
   */
  readonly deadlineHeader?: string | undefined;
  /**
   * Refuses to connect to loopback, private and reserved addresses, for a base URL that is not your own choice. Not
   * together with `dispatcher`, which resolves names by itself; a proxy from the environment is left aside. @default false
   */
  readonly refusePrivateAddresses?: boolean | undefined;
  /** Is told what happens, for logs and metrics. It cannot break a call. */
  readonly on?: ((event: ClientEvent) => void) | undefined;
  /** @default the system's clock and timers */
  readonly clock?: Clock | undefined;
  /** From 0 to below 1, for jitter. @default Math.random */
  readonly random?: (() => number) | undefined;
  /**
   * An undici dispatcher of your own, for mTLS, a proxy or a mock; you close it. @default connections of its own, one for
   * each place in the bulkhead, through the proxy of the environment if `NODE_USE_ENV_PROXY` says so
   */
  readonly dispatcher?: Dispatcher | undefined;
  /** Measures requests, calls, retries, circuits, limits and connections. @default nothing is measured */
  readonly meter?: Meter | undefined;
}

/** {@link ClientOptions}, filled in and checked. */
export interface ResolvedClientOptions {
  readonly name: string;
  readonly base: { readonly origin: string; readonly prefix: string };
  readonly token: TokenSource | undefined;
  readonly policy: CallPolicy;
  readonly connectTimeoutMs: number;
  readonly connectionTtlMs: number;
  readonly mayCarryCredentials: boolean;
  readonly bulkhead: ResolvedBulkheadOptions;
  readonly retryBudget: ResolvedRetryBudgetOptions;
  readonly deadlineHeader: string | undefined;
  readonly addressRule: AddressRule | undefined;
  readonly on: ((event: ClientEvent) => void) | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly dispatcher: Dispatcher | undefined;
  readonly meter: Meter | undefined;
}

/**
 * Fills in and checks.
 * @throws {TypeError} for a name, base URL or header name that cannot work, or options that contradict each other.
 * @throws {RangeError} for a number out of range.
 */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const { name, token, on, dispatcher, clock = systemClock, random = Math.random } = options;
  const { connectTimeoutMs = 3_000, connectionTtlMs = 60_000, refusePrivateAddresses = false } = options;
  if (typeof name !== 'string' || name.trim() === '') {
    throw new TypeError(`name must be what people call the upstream, got ${JSON.stringify(name)}`);
  }
  const base = parseBaseUrl(options.baseUrl);
  checkWhole('connectTimeoutMs', connectTimeoutMs, 1, MAX_TIMER_MS);
  checkWhole('connectionTtlMs', connectionTtlMs, 1, MAX_TIMER_MS);
  const mayCarryCredentials = options.allowCleartextCredentials === true || isSafeOnTheWay(base.origin);
  if (token !== undefined && !mayCarryCredentials) {
    throw new TypeError('baseUrl must use https with a token; allowCleartextCredentials allows it without');
  }
  return {
    name,
    base,
    token,
    policy: resolveCallPolicyOptions(options.policy),
    connectTimeoutMs,
    connectionTtlMs,
    mayCarryCredentials,
    bulkhead: resolveBulkheadOptions(options.bulkhead),
    retryBudget: resolveRetryBudgetOptions(options.retryBudget),
    deadlineHeader: parseHeaderName(options.deadlineHeader),
    addressRule: refusePrivateAddresses ? ruleFor(base.origin, dispatcher) : undefined,
    on,
    clock,
    random,
    dispatcher,
    meter: options.meter,
  };
}

function ruleFor(origin: string, dispatcher: Dispatcher | undefined): AddressRule {
  if (dispatcher !== undefined) {
    throw new TypeError('refusePrivateAddresses cannot rule a given dispatcher');
  }
  const rule = createAddressRule();
  checkLiteralHost(origin, rule);
  return rule;
}

function parseHeaderName(name: string | undefined): string | undefined {
  if (name !== undefined && !/^[a-z][a-z0-9-]*$/i.test(name)) {
    throw new TypeError(`deadlineHeader must be the name of a header, got ${JSON.stringify(name)}`);
  }
  return name?.toLowerCase();
}
