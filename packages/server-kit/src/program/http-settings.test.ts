import { describe, expect, it } from 'vitest';

import { resolveEndpointLimits } from '../limits/endpoint-limits.ts';
import { commonSettings } from './common-settings.ts';
import { checkHttpSettings, httpOptions, httpSettings } from './http-settings.ts';
import { readSettings, SettingsError } from './settings.ts';

const settings = { ...httpSettings, TERMINATION_GRACE_MS: commonSettings.TERMINATION_GRACE_MS };
const read = (environment: Record<string, string> = {}) => readSettings(settings, environment);

describe('the HTTP settings', () => {
  it('have the defaults of the options that they are for', () => {
    const { maxEventBytes: _, ...limits } = resolveEndpointLimits({});
    expect(httpOptions(read())).toEqual({
      host: '127.0.0.1',
      port: 3000,
      allowedHosts: undefined,
      allowedOrigins: undefined,
      trustedProxies: undefined,
      readinessDelayMs: 0,
      maxSessions: 1_000,
      maxSessionsPerCaller: 100,
      sessionIdleMs: 1_800_000,
      ...limits,
    });
    expect(readSettings({ limit: commonSettings.RATE_LIMIT_PER_MINUTE }, {})).toEqual({ limit: 100 });
    expect(readSettings({ deadline: commonSettings.CALL_DEADLINE_MS }, {})).toEqual({ deadline: 30_000 });
    expect(readSettings({ size: commonSettings.MAX_OUTPUT_BYTES }, {})).toEqual({ size: 65_536 });
    expect(read().TERMINATION_GRACE_MS).toBe(30_000);
  });

  it.each([
    ['MAX_BODY_BYTES', '65536', { maxBodyBytes: 65_536 }],
    ['MAX_REQUESTS', '20', { maxInFlight: 20 }],
    ['MAX_REQUESTS_PER_CALLER', '2', { maxInFlightPerCaller: 2 }],
    ['MAX_STREAMS', '30', { maxStreams: 30 }],
    ['MAX_STREAMS_PER_CALLER', '3', { maxStreamsPerCaller: 3 }],
    ['MAX_SESSIONS', '40', { maxSessions: 40 }],
    ['MAX_SESSIONS_PER_CALLER', '4', { maxSessionsPerCaller: 4 }],
    ['SESSION_IDLE_MS', '60000', { sessionIdleMs: 60_000 }],
    ['MAX_REFUSALS_PER_MINUTE', '50', { maxRefusalsPerMinute: 50 }],
  ])('limit what a server takes on: %s=%s', (name, value, option) => {
    expect(httpOptions(read({ [name]: value }))).toMatchObject(option);
    expect(() => read({ [name]: '0' })).toThrow(`${name}: must be a whole number from `);
  });

  it.each([
    ['PORT', '65536', 'PORT: must be a whole number from 0 to 65535'],
    ['PORT', 'eighty', 'PORT: must be a whole number from 0 to 65535'],
    ['READINESS_DELAY_MS', '-1', 'READINESS_DELAY_MS: must be a whole number from 0 to '],
    ['READINESS_DELAY_MS', '0.5', 'READINESS_DELAY_MS: must be a whole number from 0 to '],
    ['TERMINATION_GRACE_MS', '1e99', 'TERMINATION_GRACE_MS: must be a whole number from 10000 to 2147483647'],
  ])('refuse %s=%s', (name, value, problem) => {
    expect(() => read({ [name]: value })).toThrow(SettingsError);
    expect(() => read({ [name]: value })).toThrow(problem);
  });

  it('that leave no time to finish calls are refused with both numbers and what to change', () => {
    expect(checkHttpSettings(read({ READINESS_DELAY_MS: '45000' }))).toEqual([
      'READINESS_DELAY_MS is 45000, and a TERMINATION_GRACE_MS of 30000 leaves at most 13000 for it: lower it, or set TERMINATION_GRACE_MS, and the grace period of the platform, to 62000',
    ]);
    const longer = { READINESS_DELAY_MS: '45000', TERMINATION_GRACE_MS: '62000' };
    expect(checkHttpSettings(read(longer))).toEqual([]);
    expect(checkHttpSettings(read({ READINESS_DELAY_MS: '13000' }))).toEqual([]);
  });

  it('ask for the names to answer to where others can reach the server', () => {
    expect(checkHttpSettings(read({ HOST: '0.0.0.0' }))).toEqual([
      'ALLOWED_HOSTS is required, because HOST is not loopback',
    ]);
    expect(checkHttpSettings(read({ HOST: '0.0.0.0', ALLOWED_HOSTS: 'mcp.example.com' }))).toEqual([]);
  });
});
