import { PROFILES } from './auth-profile.ts';

/** What clients reach a server by. */
export type Transport = 'stdio' | 'http' | 'both';

/** What a new project is made of. */
export interface ProjectOptions {
  /** Of the package, the program and the image: lower case letters, digits and single dashes, at most 40. */
  readonly name: string;
  /** @default 'stdio' */
  readonly transport?: Transport | undefined;
  /**
   * The identity provider whose tokens the HTTP server accepts: a name of `AUTH_PROVIDER`. `none` listens on loopback
   * only, and lets everybody read.
   *
   * @default 'none'
   */
  readonly auth?: string | undefined;
  /** Adds the command that reads and verifies the audit trail, and the settings that ship it. @default false */
  readonly audit?: boolean | undefined;
  /** Adds a tool whose work goes on after the answer. @default false */
  readonly tasks?: boolean | undefined;
  /** Lets replicas of an HTTP server share what they must. @default false */
  readonly redis?: boolean | undefined;
}

/** What was asked for and cannot be had. The message is for whoever typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const TRANSPORTS: readonly string[] = ['stdio', 'http', 'both'];
const MAX_NAME_LENGTH = 40;

/** @throws {UsageError} when a value is none, or two do not fit together. */
export function resolveProjectOptions(options: ProjectOptions): Required<{
  [Name in keyof ProjectOptions]: NonNullable<ProjectOptions[Name]>;
}> {
  const { name, transport = 'stdio', auth = 'none' } = options;
  const { audit = false, tasks = false, redis = false } = options;
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u.test(name) || name.length > MAX_NAME_LENGTH) {
    throw new UsageError(
      `The name must be like my-server, in at most ${MAX_NAME_LENGTH} characters; got ${name}`,
    );
  }
  if (!TRANSPORTS.includes(transport)) {
    throw new UsageError(`--transport must be ${TRANSPORTS.join(', ')}; got ${transport}`);
  }
  if (auth !== 'none' && !PROFILES.has(auth)) {
    throw new UsageError(`--auth must be none, ${[...PROFILES.keys()].join(', ')}; got ${auth}`);
  }
  if (transport === 'stdio' && (auth !== 'none' || redis)) {
    const option = redis ? '--redis' : '--auth';
    throw new UsageError(
      `${option} needs --transport http or both: on stdio there is one caller and one process`,
    );
  }
  return { name, transport, auth, audit, tasks, redis };
}
