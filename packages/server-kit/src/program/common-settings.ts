import { resolveCallLimits } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { resolveRateLimitOptions } from '../server/rate-limit-options.ts';
import { resolveShutdownOptions } from '../server/shutdown-budget.ts';
import { auditSettings } from './audit-settings.ts';
import { choiceSetting } from './kinds/choice-setting.ts';
import { numberSetting } from './kinds/number-setting.ts';
import { pathSetting } from './kinds/path-setting.ts';
import type { Settings } from './settings.ts';
import { tokenSettings } from './token-settings.ts';

/** The settings that every server made with this package needs; spread them into your own. */
export const commonSettings = {
  LOG_LEVEL: {
    description: 'What is logged to standard error: debug, info, warn, error or silent',
    schema: choiceSetting(['debug', 'info', 'warn', 'error', 'silent'], 'info'),
  },
  STATE_DIRECTORY: {
    description: 'Directory on a local disk for the audit trail and the tasks',
    schema: pathSetting(),
  },
  RATE_LIMIT_PER_MINUTE: {
    description: 'Maximum number of requests per minute for each caller, lists and refused ones included',
    schema: numberSetting(
      (rateLimitPerMinute) => resolveRateLimitOptions({ rateLimitPerMinute }).callerLimit.perMinute,
    ),
  },
  SERVER_RATE_LIMIT_PER_MINUTE: {
    description: 'Maximum number of requests per minute for all callers together',
    schema: numberSetting(
      (serverRateLimitPerMinute) =>
        resolveRateLimitOptions({ serverRateLimitPerMinute }).serverLimit.perMinute,
    ),
  },
  MAX_CONCURRENT_CALLS: {
    description: 'Maximum number of calls of one caller that run at once',
    schema: numberSetting(
      (maxConcurrentCalls) => resolveRateLimitOptions({ maxConcurrentCalls }).callerLimit.concurrent,
    ),
  },
  SERVER_MAX_CONCURRENT_CALLS: {
    description: 'Maximum number of calls of all callers together that run at once',
    schema: numberSetting(
      (serverMaxConcurrentCalls) =>
        resolveRateLimitOptions({ serverMaxConcurrentCalls }).serverLimit.concurrent,
    ),
  },
  CALL_DEADLINE_MS: {
    description: 'Milliseconds that a call may take whose tool says nothing else',
    schema: numberSetting((deadlineMs) => resolveCallLimits({ deadlineMs }).deadlineMs),
  },
  MAX_OUTPUT_BYTES: {
    description: 'Maximum size of the answer to a call, in bytes of JSON',
    schema: numberSetting((maxOutputBytes) => resolveCallLimits({ maxOutputBytes }).maxOutputBytes),
  },
  ANSWER_BYTES: {
    description:
      'From which size the answer of a tool is cut short, in bytes of its text or of its structured content',
    schema: numberSetting((answerBytes) => resolveCallLimits({ answerBytes }).answerBytes),
  },
  TERMINATION_GRACE_MS: {
    description:
      'Milliseconds that the platform waits between SIGTERM and killing the server, which stops by itself 2000 ms earlier',
    schema: numberSetting(
      (terminationGraceMs) => resolveShutdownOptions({ terminationGraceMs }).terminationGraceMs,
    ),
  },
  ...auditSettings,
} satisfies Settings;

/** The settings of `openAuthentication`; spread them into your own. */
export const authenticationSettings = {
  ...tokenSettings,
  POLICY_FILE: {
    description:
      'YAML file, with a last line of ..., or JSON file with the policy: who may do what; read again when it changes',
    schema: pathSetting(),
  },
  DIRECTORY_FILE: {
    description:
      'YAML or JSON file with the users and their groups, or with the LDAP directory that knows them; read again when it changes',
    schema: pathSetting(),
  },
  DIRECTORY_PASSWORD: {
    description: 'Password of the LDAP account that DIRECTORY_FILE names',
    schema: z.string().min(1).optional(),
    secret: true,
  },
} satisfies Settings;
