import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { checkPath } from '../document-file.ts';
import { AuthError, isAuthError } from '../errors.ts';
import { ageOf } from '../facts/clock-age.ts';
import type { FactAges } from '../facts/fact-age.ts';
import { openWatchedFile } from '../facts/watched-file.ts';
import type { FactLogger } from '../facts/watched-file.ts';
import { parsePolicy } from './policy-document.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { createPolicy } from './policy.ts';
import type { Policy } from './policy.ts';

/** Where the file is, how soon a change of it counts, and how long it may be unusable. */
export interface FilePolicyOptions {
  /** A YAML file, with `...` as its last line, or a JSON file: see `loadPolicy`. */
  readonly path: string;
  /** How often, at most, the file is looked at for changes, in milliseconds: 0 to 2_147_483_647. @default 1_000 */
  readonly checkIntervalMs?: number | undefined;
  /**
   * How long the last good policy counts while the file is missing or cannot be used, in milliseconds: 0 to 2_147_483_647.
   * After that nothing is decided until it can. @default 3_600_000
   */
  readonly maxStaleMs?: number | undefined;
  /**
   * Throws when a policy cannot be used, for example because it does not fit the issuers (`checkPolicyFits`): at the start
   * that is the error, later the old policy stays. @default every valid policy will do
   */
  readonly accept?: ((policy: Policy) => void) | undefined;
  /** Told when a changed file is taken or refused; a pino logger fits. @default nobody */
  readonly logger?: FactLogger | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

type Filled = 'checkIntervalMs' | 'maxStaleMs' | 'accept' | 'now';
type ResolvedFilePolicyOptions = Omit<FilePolicyOptions, Filled> & {
  readonly [Name in Filled]: NonNullable<FilePolicyOptions[Name]>;
};

/**
 * Fills in and checks.
 * @throws {TypeError} without a path
 * @throws {RangeError} naming the number
 */
function resolveFilePolicyOptions(options: FilePolicyOptions): ResolvedFilePolicyOptions {
  const { path, checkIntervalMs = 1_000, maxStaleMs = 3_600_000, accept = () => undefined } = options;
  checkPath('path', path);
  checkWhole('checkIntervalMs', checkIntervalMs, 0, MAX_TIMER_MS);
  checkWhole('maxStaleMs', maxStaleMs, 0, MAX_TIMER_MS);
  return { path, checkIntervalMs, maxStaleMs, accept, logger: options.logger, now: options.now ?? Date.now };
}

/** A policy that follows its file. What is not asked of the file itself is as the last good version says. */
export interface FilePolicy extends Omit<Policy, keyof PolicyEngine>, PolicyEngine {
  /**
   * The policy as the file says now, or said at most `maxAgeMs` ago where it cannot be used.
   * @throws {AuthError} `unavailable` when it is older than that, or than the option `maxStaleMs`; the signal's reason
   */
  readonly current: (options: {
    readonly signal: AbortSignal;
    readonly maxAgeMs?: number | undefined;
  }) => Promise<Policy>;
  /** How long ago the file could last be used. */
  readonly ages: FactAges;
}

const RETRY_AFTER_MS = 5_000;

/**
 * A policy in one file. A changed file counts from the next decision on. While it is missing or badly edited, which is
 * logged, the last good version decides, for at most `maxStaleMs`, and nothing that is `fresh`. Reads the file before it
 * resolves.
 * @throws {TypeError} naming the file, the key and the problem; what `accept` throws; the file system's error
 * @throws {RangeError} naming the option
 */
export async function createFilePolicy(options: FilePolicyOptions): Promise<FilePolicy> {
  const { path, checkIntervalMs, maxStaleMs, accept, logger, now } = resolveFilePolicyOptions(options);
  const file = await openWatchedFile({
    path,
    fact: 'policy',
    parse(text) {
      const policy = createPolicy(parsePolicy(text, path));
      accept(policy);
      return withoutWhatWasHeld(policy);
    },
    checkIntervalMs,
    limitMs: maxStaleMs,
    consequence: 'the last good one decides for a while, but not what is fresh',
    describe: ({ permissions }) => ({ permissions: permissions.length }),
    logger,
    now,
  });

  const current: FilePolicy['current'] = async ({ signal, maxAgeMs = Infinity }) => {
    const { content, asOf, problem } = await file.read({ signal, maxAgeMs });
    if (problem !== undefined && ageOf(asOf, now()) > Math.min(maxStaleMs, maxAgeMs)) {
      throw new AuthError('unavailable', {
        message: 'the policy file is not usable',
        retryAfterMs: RETRY_AFTER_MS,
        cause: problem.cause,
      });
    }
    return content;
  };

  return {
    get permissions() {
      return file.last().permissions;
    },
    get unboundServices() {
      return file.last().unboundServices;
    },
    get freshPermissions() {
      return file.last().freshPermissions;
    },
    obtainableFor: (subject) => file.last().obtainableFor(subject),
    scopesFor: (permissions) => file.last().scopesFor(permissions),
    includesScope: (scopes, wanted) => file.last().includesScope(scopes, wanted),
    current,
    async permissionsFor(subject, { signal }) {
      return (await current({ signal })).permissionsFor(subject);
    },
    async decide(caller, permission, { signal }) {
      try {
        return (await current({ signal })).decide(caller, permission, { signal });
      } catch (error) {
        if (signal.aborted || !isAuthError(error)) {
          throw error;
        }
        return { allowed: false, reason: 'unavailable', rule: 'the policy file is not usable' };
      }
    },
    ages: file.ages,
  };
}

/**
 * A caller stays longer than a version of the file: on stdio, in a task. What it held by an earlier one it holds no more
 * unless this one grants it too. A local caller's permissions are given, not granted.
 */
function withoutWhatWasHeld(policy: Policy): Policy {
  return {
    ...policy,
    decide(caller, permission, options) {
      const isLocal = caller.issuer === 'local';
      const permissions = isLocal ? caller.permissions : policy.permissionsFor(caller);
      return policy.decide({ ...caller, permissions }, permission, options);
    },
  };
}
