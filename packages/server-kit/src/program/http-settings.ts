import { z } from 'zod';

import { MAX_TIMER_MS } from '../check-number.ts';
import { resolveAddress, type ServeHttpOptions } from '../http/serve-http-options.ts';
import { resolveEndpointLimits } from '../limits/endpoint-limits.ts';
import { resolveSessionLimits } from '../limits/session-limits.ts';
import { isLoopbackHost } from '../loopback.ts';
import { graceMsFor, maxReadinessDelayMs, resolveShutdownOptions } from '../server/shutdown-budget.ts';
import type { commonSettings } from './common-settings.ts';
import {
  addressEntry,
  hostEntry,
  listenAddress,
  listSetting,
  originEntry,
  wordEntry,
} from './kinds/list-setting.ts';
import { numberSetting } from './kinds/number-setting.ts';
import type { Settings, SettingValues } from './settings.ts';

const MIN_SESSION_KEY_BYTES = 32;

/** The settings of `serveHttp`; spread them into your own. */
export const httpSettings = {
  HOST: { description: 'Address to listen on', schema: listenAddress(resolveAddress({}).host) },
  PORT: {
    description: 'Port to listen on; 0 takes a free one',
    schema: numberSetting((port) => resolveAddress({ port }).port),
  },
  OPERATOR_HOST: {
    description: 'Address to listen on for operators: metrics, readiness with its details',
    schema: listenAddress(resolveAddress({}).host),
  },
  OPERATOR_PORT: {
    description:
      'Port for operators; 0 takes a free one. Without it they ask on PORT while HOST is loopback, and have no metrics otherwise',
    schema: numberSetting((port) => (port === undefined ? undefined : resolveAddress({ port }).port)),
  },
  OPERATOR_TOKEN: {
    description:
      'What operators sign in with to see /console on the port for operators, at least 32 characters. Without it there is no such page, unless that port is on loopback',
    schema: z.string().min(32, 'must have at least 32 characters').optional(),
    secret: true,
  },
  READINESS_REQUIRES: {
    description:
      'Backends without which a replica takes no calls at all, separated by commas. Without one that is not named here it is degraded and goes on',
    schema: listSetting(wordEntry).optional(),
  },
  ALLOWED_HOSTS: {
    description:
      'Host names under which clients reach the server, separated by commas. Required unless HOST is loopback',
    schema: listSetting(hostEntry).optional(),
  },
  ALLOWED_ORIGINS: {
    description: 'Origins of web pages that may call the server, separated by commas',
    schema: listSetting(originEntry).optional(),
  },
  TRUSTED_PROXIES: {
    description:
      'Addresses or CIDR blocks of the proxies that may name the address of a client, separated by commas',
    schema: listSetting(addressEntry).optional(),
  },
  CLIENT_CERTIFICATE_HEADER: {
    description:
      'Header in which TRUSTED_PROXIES pass on the certificate of a client, such as x-forwarded-client-cert, for tokens that are bound to it (RFC 8705)',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/u, 'must be the name of a header')
      .transform((name) => name.toLowerCase())
      .optional(),
  },
  MAX_BODY_BYTES: {
    description: 'Maximum size of the body of a request, in bytes',
    schema: numberSetting((maxBodyBytes) => resolveEndpointLimits({ maxBodyBytes }).maxBodyBytes),
  },
  MAX_REQUESTS: {
    description: 'Requests that run at once; lists are refused from three quarters on',
    schema: numberSetting((maxInFlight) => resolveEndpointLimits({ maxInFlight }).maxInFlight),
  },
  MAX_REQUESTS_PER_CALLER: {
    description: 'Those of one caller',
    schema: numberSetting(
      (maxInFlightPerCaller) => resolveEndpointLimits({ maxInFlightPerCaller }).maxInFlightPerCaller,
    ),
  },
  MAX_STREAMS: {
    description: 'Streams that wait for events at once',
    schema: numberSetting((maxStreams) => resolveEndpointLimits({ maxStreams }).maxStreams),
  },
  MAX_STREAMS_PER_CALLER: {
    description: 'Those of one caller',
    schema: numberSetting(
      (maxStreamsPerCaller) => resolveEndpointLimits({ maxStreamsPerCaller }).maxStreamsPerCaller,
    ),
  },
  MAX_SESSIONS: {
    description:
      'Sessions in memory; the one unused for longest of who has most sleeps until its client is back',
    schema: numberSetting((maxSessions) => resolveSessionLimits({ maxSessions }).maxSessions),
  },
  MAX_SESSIONS_PER_CALLER: {
    description: 'Those of one caller',
    schema: numberSetting(
      (maxSessionsPerCaller) => resolveSessionLimits({ maxSessionsPerCaller }).maxSessionsPerCaller,
    ),
  },
  SESSION_IDLE_MS: {
    description: 'Milliseconds that an unused session stays in memory',
    schema: numberSetting((sessionIdleMs) => resolveSessionLimits({ sessionIdleMs }).sessionIdleMs),
  },
  MAX_REFUSALS_PER_MINUTE: {
    description: 'Refused requests of one address in a minute, after which it has to wait',
    schema: numberSetting(
      (maxRefusalsPerMinute) => resolveEndpointLimits({ maxRefusalsPerMinute }).maxRefusalsPerMinute,
    ),
  },
  SESSION_KEY: {
    description:
      'Key that signs session ids and seals what clients keep for a call that asks them something, at least 32 bytes as base64; the same for all replicas. Without it, one is made for sessions and kept in STATE_DIRECTORY',
    schema: z
      .base64('must be base64')
      .transform((text) => Buffer.from(text, 'base64'))
      .refine((key) => key.byteLength >= MIN_SESSION_KEY_BYTES, 'must have at least 32 bytes')
      .optional(),
    secret: true,
  },
  READINESS_DELAY_MS: {
    description:
      'Milliseconds to go on serving after SIGTERM while /ready already fails, so that load balancers stop sending. Part of TERMINATION_GRACE_MS',
    schema: numberSetting(
      (readinessDelayMs) =>
        resolveShutdownOptions({ readinessDelayMs, terminationGraceMs: MAX_TIMER_MS }).readinessDelayMs,
    ),
  },
} satisfies Settings;

/** What is wrong with HTTP settings that are right one by one; for `check` of `runCommand`. */
export function checkHttpSettings(
  settings: SettingValues<typeof httpSettings & Pick<typeof commonSettings, 'TERMINATION_GRACE_MS'>>,
): readonly string[] {
  const problems: string[] = [];
  if (!isLoopbackHost(settings.HOST) && settings.ALLOWED_HOSTS === undefined) {
    problems.push('ALLOWED_HOSTS is required, because HOST is not loopback');
  }
  if (settings.CLIENT_CERTIFICATE_HEADER !== undefined && settings.TRUSTED_PROXIES === undefined) {
    problems.push('TRUSTED_PROXIES is required, because CLIENT_CERTIFICATE_HEADER counts from them alone');
  }
  if (settings.OPERATOR_PORT === settings.PORT && settings.PORT !== 0) {
    problems.push(
      `OPERATOR_PORT must not be PORT: leave it out to answer operators on ${settings.PORT} while HOST is loopback`,
    );
  }
  const { READINESS_DELAY_MS: delayMs, TERMINATION_GRACE_MS: graceMs } = settings;
  const maxMs = maxReadinessDelayMs(graceMs);
  if (delayMs > maxMs) {
    problems.push(
      `READINESS_DELAY_MS is ${delayMs}, and a TERMINATION_GRACE_MS of ${graceMs} leaves at most ${maxMs} for it: lower it, or set TERMINATION_GRACE_MS, and the grace period of the platform, to ${graceMsFor(delayMs)}`,
    );
  }
  return problems;
}

/** What the HTTP settings ask for, as options of `serveHttp`. */
export function httpOptions(values: SettingValues<typeof httpSettings>): Omit<ServeHttpOptions, 'gate'> {
  return {
    host: values.HOST,
    port: values.PORT,
    operator:
      values.OPERATOR_PORT === undefined
        ? undefined
        : { host: values.OPERATOR_HOST, port: values.OPERATOR_PORT },
    operatorToken: values.OPERATOR_TOKEN,
    allowedHosts: values.ALLOWED_HOSTS,
    allowedOrigins: values.ALLOWED_ORIGINS,
    trustedProxies: values.TRUSTED_PROXIES,
    sessionKey: values.SESSION_KEY,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxInFlight: values.MAX_REQUESTS,
    maxInFlightPerCaller: values.MAX_REQUESTS_PER_CALLER,
    maxStreams: values.MAX_STREAMS,
    maxStreamsPerCaller: values.MAX_STREAMS_PER_CALLER,
    maxSessions: values.MAX_SESSIONS,
    maxSessionsPerCaller: values.MAX_SESSIONS_PER_CALLER,
    sessionIdleMs: values.SESSION_IDLE_MS,
    maxRefusalsPerMinute: values.MAX_REFUSALS_PER_MINUTE,
    readinessDelayMs: values.READINESS_DELAY_MS,
  };
}
